"""Why an axis has its size: where it was written, how it got here, what moves it, what it must fit.

Answers come from the recorded lineage alone; nothing is traced again.
"""

from __future__ import annotations

import msgspec

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.proof import ProofRow, Proofs, prove
from resnet_inspect.graph import AxisRef, Graph, Phase, Source, TensorRef
from resnet_inspect.graph.lineage import (
    Formula,
    FromAxis,
    FromLiteral,
    FromVariable,
    Lineage,
    Link,
    Origin,
    Relation,
    Variation,
)
from resnet_inspect.graph.tensors import Shape


def not_known(graph: Graph, lineage: Lineage) -> str:
    """Why nothing is known of where the sizes of a run come from; empty where something is."""
    if lineage.links or lineage.mismatch is not None:
        return ""
    return next((one.text for one in graph.notes if one.subject in ("lineage", "graph")), "")


class ChainStep(msgspec.Struct, frozen=True):
    """One step of the way from an axis back to its birth.

    `place` is an axis (such as `add24:0 axis 3`), an element of a literal or an axis of a
    variable; `relation` says how the axis before it in the chain follows it, and `rivals` names
    other sizes that must agree with it at that op, `beside` those that a derived size was made
    from as well.
    """

    place: str
    op: str
    layer: str
    op_type: str
    literal: bool
    size: int | None
    relation: Relation | None
    rivals: tuple[str, ...]
    variable: str = ""
    source: Source | None = None
    beside: tuple[str, ...] = ()


class Agreement(msgspec.Struct, frozen=True):
    """A literal that must equal a size flowing in, and what a different one would do."""

    op: str
    literal: str
    partner: str
    size: int
    effects: tuple[tuple[int, int, int], ...]


class Explanation(msgspec.Struct, frozen=True):
    """Why one axis has its size.

    `formula` is what the size was written as, None where no expression was found; `origin` names
    where the chain ends. Where that is a literal, `inflow` is the chain of the size it must equal
    (empty where no axis that flows in is that size), and `incoming` and `outgoing` are the shapes
    before and after the op that the literal decides.
    """

    tensor: str
    axis: int
    size: int | None
    formula: Formula | None
    origin: str
    chain: tuple[ChainStep, ...]
    inflow: tuple[ChainStep, ...]
    inflow_formula: Formula | None
    proof: tuple[ProofRow, ...]
    couplings: tuple[Agreement, ...]
    incoming: tuple[Shape, ...] = ()
    outgoing: Shape = None


class Ways:
    """What the explanations of one run have in common; who asks for many hands it on.

    `walked` has what follows each place that was walked, and where its way ends; `formulas` what
    was written at those ends; `agreements` the couplings of the run, None before the first;
    `proofs` those that were made.
    """

    def __init__(self) -> None:
        self.walked: dict[Origin, tuple[tuple[ChainStep, ...], Origin]] = {}
        self.formulas: dict[Origin, Formula | None] = {}
        self.agreements: list[Agreement] | None = None
        self.proofs: Proofs = {}


def reshapes(graph: Graph, lineage: Lineage) -> tuple[Explanation, ...]:
    """Explains every axis of a reshape layer that a literal decides."""
    found = []
    for layer in graph.layers:
        if layer.type == "Reshape":
            target = Target.of(graph, layer.output)
            every = (why(graph, lineage, target, axis) for axis in range(len(target.shape)))
            found += [one for one in every if one.chain[-1].literal]
    return tuple(found)


def why(
    graph: Graph, lineage: Lineage, target: Target, axis: int, ways: Ways | None = None
) -> Explanation:
    """Explain one axis (counted from 0) of a tensor or variable; who asks for many hands `ways`
    from one call to the next.
    """
    ways = Ways() if ways is None else ways
    if ways.agreements is None:
        ways.agreements = _agreements(graph, lineage)
    chain, end = _chain(graph, lineage, target.origin(axis), ways)
    formula = _written(graph, lineage, end, ways)
    couplings = tuple(one for one in ways.agreements if _concerns(one, chain, end))
    inflow: tuple[ChainStep, ...] = ()
    source: Origin | None = None
    for coupling in lineage.couplings:
        if coupling.literal == end:
            inflow, source = _chain(graph, lineage, coupling.partner, ways)
    places = tuple((step.place, step.relation) for step in chain)
    ops = frozenset(step.op for step in chain)
    proof = prove(graph, lineage, target.shape[axis], places, formula, ops, ways.proofs)
    return Explanation(
        tensor=target.name,
        axis=axis,
        size=target.shape[axis],
        formula=formula,
        origin=spell_origin(end),
        chain=chain,
        inflow=inflow,
        inflow_formula=_written(graph, lineage, source, ways) if source else None,
        proof=proof,
        couplings=couplings,
        incoming=_incoming(graph, end, chain),
        outgoing=_outgoing(graph, chain),
    )


def trail(
    graph: Graph, lineage: Lineage, start: Origin
) -> tuple[tuple[ChainStep, ...], Origin, Formula | None]:
    """The way from a size back to where it was born, that place, and what was written there."""
    ways = Ways()
    chain, end = _chain(graph, lineage, start, ways)
    return chain, end, _written(graph, lineage, end, ways)


def _incoming(graph: Graph, end: Origin, chain: tuple[ChainStep, ...]) -> tuple[Shape, ...]:
    """The shapes of what flows into the op that a literal decides, without the literal."""
    if not isinstance(end, FromLiteral) or len(chain) < 2:
        return ()
    op = graph.op_by_name[chain[-2].op]
    return tuple(graph.spec(ref).shape for ref in op.inputs if ref.op != end.op)


def _outgoing(graph: Graph, chain: tuple[ChainStep, ...]) -> Shape:
    op = graph.op_by_name.get(chain[-2].op) if len(chain) > 1 else None
    return op.outputs[0].shape if op else None


def spell_origin(origin: Origin) -> str:
    """Name an origin for people."""
    if isinstance(origin, FromAxis):
        return str(origin.ref)
    if isinstance(origin, FromVariable):
        return f"{origin.variable} axis {origin.axis}"
    return f"{origin.op} element {origin.element}"


def main_link(graph: Graph, links: tuple[Link, ...]) -> Link | None:
    """The link to follow: the first that the size equals, else the first.

    A size of 1 equals every other 1, so there a larger size that it was made from comes first.
    """

    def rank(link: Link) -> tuple[bool, bool]:
        return size_of(graph, link.origin) == 1, link.relation != Relation.SAME

    return min(links, key=rank, default=None)


def _chain(
    graph: Graph, lineage: Lineage, start: Origin, ways: Ways
) -> tuple[tuple[ChainStep, ...], Origin]:
    """The way from a size back to where it was born, and that place.

    A variable that was made to fit what flows in (a gamma, the channels a kernel takes) has no
    expression of its own: its way goes on at the size it is tied to.
    """
    walked: list[tuple[Origin, ChainStep]] = []
    here = start
    seen = {start}
    while here not in ways.walked:
        if isinstance(here, FromAxis):
            links = lineage.of(here.ref)
            link = main_link(graph, links)
        else:
            links, link = (), _tie(graph, lineage, here, ways)
        if link is None or link.origin in seen:
            ways.walked[here] = (), here
            break
        walked.append((here, _step(graph, link.origin, link, _beside(graph, link, links))))
        here = link.origin
        seen.add(here)
    rest, end = ways.walked[here]
    for place, step in reversed(walked):
        rest = (step, *rest)
        ways.walked[place] = rest, end
    return (_step(graph, start, None), *rest), end


def _tie(graph: Graph, lineage: Lineage, here: Origin, ways: Ways) -> Link | None:
    """What the axis of a variable must equal where it is used, if it was made to fit that.

    It was if re-traces move both, or neither and no expression of its own is known. A variable
    beside another, such as a slot of an optimizer, has that one's shape.
    """
    if not isinstance(here, FromVariable):
        return None
    owner = graph.variable_by_name.get(here.variable.rpartition("/")[0])
    if owner is not None and owner.spec.shape == graph.variable_by_name[here.variable].spec.shape:
        return Link(FromVariable(owner.name, here.axis), Relation.SAME)
    written = _written(graph, lineage, here, ways) is not None
    for reader in graph.variable_by_name[here.variable].readers:
        own = FromAxis(AxisRef(TensorRef(reader), here.axis))
        users = graph.consumers.get(TensorRef(reader), ())
        for user in (op for op in users if graph.op_by_name[op].phase != Phase.BACKWARD):
            for tie in (one for one in lineage.ties.get(user, ()) if own in one):
                others = [one for one in tie if isinstance(one, FromAxis) and one != own]
                data = [one for one in others if not _is_read(graph, one)]
                moves = _moves_of_both(graph, lineage, user, here, data[0]) if data else []
                together = all(one == other for one, other in moves)
                if data and together and (any(one for one, _ in moves) or not written):
                    return Link(data[0], Relation.SAME)
    return None


def _moves_of_both(
    graph: Graph, lineage: Lineage, user: str, one: Origin, other: Origin
) -> list[tuple[bool, bool]]:
    """For each re-trace in which two sizes still meet at `user`: whether it moves either."""
    return [
        (_moves(variation, one, graph), _moves(variation, other, graph))
        for variation in lineage.variations
        if not {_named(one), _named(other), user} & {*variation.missing, *variation.rewired}
    ]


def _named(place: Origin) -> str:
    """The name of what a place is an axis of, as re-traces know it."""
    return str(place.ref.tensor) if isinstance(place, FromAxis) else getattr(place, "variable", "")


def _is_read(graph: Graph, one: FromAxis) -> bool:
    return graph.op_by_name[one.ref.tensor.op].type == "ReadVariableOp"


def _beside(graph: Graph, link: Link, links: tuple[Link, ...]) -> tuple[str, ...]:
    """What a derived size was made from beside the one that is followed."""
    if link.relation == Relation.SAME:
        return ()
    others = (one.origin for one in links if one != link and size_of(graph, one.origin) != 1)
    return tuple(f"{spell_origin(one)} ({size_of(graph, one)})" for one in others)


def _step(
    graph: Graph, place: Origin, link: Link | None, beside: tuple[str, ...] = ()
) -> ChainStep:
    op = place.ref.tensor.op if isinstance(place, FromAxis) else getattr(place, "op", "")
    layer = graph.layer_of_op.get(op)
    return ChainStep(
        place=spell_origin(place),
        op=op,
        literal=isinstance(place, FromLiteral),
        layer=layer.name if layer else "",
        op_type=graph.op_by_name[op].type if op in graph.op_by_name else "",
        size=size_of(graph, place),
        relation=link.relation if link else None,
        rivals=tuple(spell_origin(other) for other in link.tied) if link else (),
        variable=place.variable if isinstance(place, FromVariable) else "",
        beside=beside,
        source=next(iter(graph.op_by_name[op].source), None) if op in graph.op_by_name else None,
    )


def size_of(graph: Graph, place: Origin) -> int | None:
    """The size at a place."""
    if isinstance(place, FromAxis):
        shape = graph.spec(place.ref.tensor).shape
        return shape[place.ref.axis] if shape else None
    if isinstance(place, FromVariable):
        shape = graph.variable_by_name[place.variable].spec.shape
        return shape[place.axis] if shape else None
    value = graph.op_by_name[place.op].attrs.get("value")
    number = value[place.element] if isinstance(value, list) else value
    return number if isinstance(number, int) else None


def _written(graph: Graph, lineage: Lineage, end: Origin, ways: Ways) -> Formula | None:
    if end not in ways.formulas:
        ways.formulas[end] = _formula(graph, lineage, end)
    return ways.formulas[end]


def _formula(graph: Graph, lineage: Lineage, end: Origin) -> Formula | None:
    """The first formula of a birth that the re-traces do not contradict."""
    if isinstance(end, FromLiteral):
        found = lineage.formulas.get(f"{end.op}/{end.element}", ())
    elif isinstance(end, FromVariable):
        found = lineage.formulas.get(f"{end.variable}/{end.axis}", ())
    else:
        return None
    if isinstance(end, FromLiteral):
        return next(iter(found), None)
    traced = end.variable in lineage.traced
    told = [one for one in lineage.variations if traced and not one.ended]
    moving = {one.setting for one in told if _moves(one, end, graph)}
    still = {one.setting for one in told if end.variable not in one.missing} - moving
    names = [(one, set(one.values)) for one in found]
    return next((one for one, used in names if moving <= used and not used & still), None)


def _moves(variation: Variation, place: Origin, graph: Graph) -> bool:
    """Whether a variation moves an axis (literals show in the tensor they decide)."""
    if isinstance(place, FromLiteral):
        return False
    axis = place.ref.axis if isinstance(place, FromAxis) else place.axis
    changed = variation.shapes.get(_named(place), ())
    return axis < len(changed) and changed[axis] != size_of(graph, place)


def _agreements(graph: Graph, lineage: Lineage) -> list[Agreement]:
    """Couplings of numbers that somebody wrote, not of those that the framework worked out."""
    return [
        Agreement(
            op=one.op,
            literal=spell_origin(one.literal),
            partner=spell_origin(one.partner),
            size=one.size,
            effects=one.effects,
        )
        for one in lineage.couplings
        if f"{one.literal.op}/{one.literal.element}" in lineage.formulas
        and one.op in graph.op_by_name
    ]


def _concerns(one: Agreement, chain: tuple[ChainStep, ...], end: Origin) -> bool:
    """Whether a coupling lies on the way of a chain."""
    met = (one.literal, one.partner)
    return spell_origin(end) in met or any(step.place in met for step in chain)
