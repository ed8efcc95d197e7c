"""Explains the size of an axis: its origin, the path to it, settings that change it, constraints.

All results come from the recorded lineage. Nothing is re-traced here.
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


def missing_reason(graph: Graph, lineage: Lineage) -> str:
    """Return why a run has no size origins, or an empty text where it has some."""
    if lineage.links or lineage.mismatch is not None:
        return ""
    return next((note.text for note in graph.notes if note.subject in ("lineage", "graph")), "")


class ChainStep(msgspec.Struct, frozen=True):
    """One step of the path from an axis to the origin of its size.

    Attributes:
        place: an axis such as `add24:0 axis 3`, an element of a literal or an axis of a variable.
        relation: how the previous axis of the chain follows from this one.
        rivals: other sizes that must be equal to this one at the op.
        variable: name of the variable, empty for other places.
        beside: other sizes from which a derived size was computed.
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
    """A literal that must equal an incoming size.

    `effects` are changes of the op's output with another size: axis, size before, size after.
    Without effects the op fails.
    """

    op: str
    literal: str
    partner: str
    size: int
    effects: tuple[tuple[int, int, int], ...]


class Explanation(msgspec.Struct, frozen=True):
    """Why one axis has its size.

    Attributes:
        formula: the expression of the size in the user's code, None if unknown.
        origin: the place where the chain ends.
        chain: the path from the axis to its origin.
        inflow: for an origin that is a literal, the path of the incoming size that the literal
            must equal. Empty if no incoming axis has this size.
        inflow_formula: the expression of that incoming size.
        proof: a row for each re-traced setting.
        couplings: literals on the path that must equal another size.
        incoming: for a literal, the shapes of the other inputs of its op.
        outgoing: the output shape of that op.
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


class ExplanationCache:
    """Results that explanations of one run share. Pass one object to all calls of `why`.

    Attributes:
        walked: for each visited place, the rest of its path and the origin.
        formulas: the expression at each origin.
        agreements: the couplings of the run, None before the first call.
        proofs: rows of settings.
    """

    def __init__(self) -> None:
        self.walked: dict[Origin, tuple[tuple[ChainStep, ...], Origin]] = {}
        self.formulas: dict[Origin, Formula | None] = {}
        self.agreements: list[Agreement] | None = None
        self.proofs: Proofs = {}


def reshapes(graph: Graph, lineage: Lineage) -> tuple[Explanation, ...]:
    """Return explanations of the axes of Reshape layers that a literal decides."""
    result = []
    for layer in graph.layers:
        if layer.type == "Reshape":
            target = Target.of(graph, layer.output)
            explained = (why(graph, lineage, target, axis) for axis in range(len(target.shape)))
            result += [explanation for explanation in explained if explanation.chain[-1].literal]
    return tuple(result)


def why(
    graph: Graph, lineage: Lineage, target: Target, axis: int, ways: ExplanationCache | None = None
) -> Explanation:
    """Explain the size of one axis, counted from 0, of a tensor or variable.

    `ways` contains results that calls share. Pass one object to explain many axes of a run.
    """
    graph = graph.whole
    ways = ExplanationCache() if ways is None else ways
    if ways.agreements is None:
        ways.agreements = _agreements(graph, lineage)
    chain, end = _chain(graph, lineage, target.origin(axis), ways)
    formula = _written(graph, lineage, end, ways)
    couplings = tuple(pair for pair in ways.agreements if _concerns(pair, chain, end))
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


def path_to_origin(
    graph: Graph, lineage: Lineage, start: Origin
) -> tuple[tuple[ChainStep, ...], Origin, Formula | None]:
    """Return the path from a size to its origin, the origin, and the expression there."""
    graph, ways = graph.whole, ExplanationCache()
    chain, end = _chain(graph, lineage, start, ways)
    return chain, end, _written(graph, lineage, end, ways)


def _incoming(graph: Graph, end: Origin, chain: tuple[ChainStep, ...]) -> tuple[Shape, ...]:
    """Return the input shapes of the op that a literal decides, without the literal."""
    if not isinstance(end, FromLiteral) or len(chain) < 2:
        return ()
    op = graph.op_by_name[chain[-2].op]
    return tuple(graph.spec(ref).shape for ref in op.inputs if ref.op != end.op)


def _outgoing(graph: Graph, chain: tuple[ChainStep, ...]) -> Shape:
    op = graph.op_by_name.get(chain[-2].op) if len(chain) > 1 else None
    return op.outputs[0].shape if op else None


def spell_origin(origin: Origin) -> str:
    """Return the name of an origin for the user."""
    if isinstance(origin, FromAxis):
        return str(origin.ref)
    if isinstance(origin, FromVariable):
        return f"{origin.variable} axis {origin.axis}"
    return f"{origin.op} element {origin.element}"


def main_link(graph: Graph, links: tuple[Link, ...]) -> Link | None:
    """Return the link to follow: the first with an equal size, otherwise the first.

    Sizes of 1 come last, because any two sizes of 1 are equal.
    """

    def rank(link: Link) -> tuple[bool, bool]:
        return size_of(graph, link.origin) == 1, link.relation != Relation.SAME

    return min(links, key=rank, default=None)


def _chain(
    graph: Graph, lineage: Lineage, start: Origin, ways: ExplanationCache
) -> tuple[tuple[ChainStep, ...], Origin]:
    """Return the path from a size to its origin, and the origin.

    A variable created to fit its input, such as gamma or the input channels of a kernel, has no
    own expression. Its path continues at the size that it must equal.
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


def _tie(graph: Graph, lineage: Lineage, here: Origin, ways: ExplanationCache) -> Link | None:
    """Return the size that an axis of a variable must equal, if the variable was created to fit it.

    This is so if re-traces change both sizes. It is also so if they change neither and the
    variable has no own expression. A variable named below another one, such as an optimizer slot,
    has the shape of that variable.
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
            for tie in (origins for origins in lineage.ties.get(user, ()) if own in origins):
                others = [axis for axis in tie if isinstance(axis, FromAxis) and axis != own]
                data = [axis for axis in others if not _is_read(graph, axis)]
                moves = _moves_of_both(graph, lineage, user, here, data[0]) if data else []
                together = all(first == second for first, second in moves)
                if data and together and (any(first for first, _ in moves) or not written):
                    return Link(data[0], Relation.SAME)
    return None


def _moves_of_both(
    graph: Graph, lineage: Lineage, user: str, first: Origin, second: Origin
) -> list[tuple[bool, bool]]:
    """Return whether each re-trace changes two sizes, for re-traces where both meet at `user`."""
    return [
        (_moves(variation, first, graph), _moves(variation, second, graph))
        for variation in lineage.variations
        if not {_named(first), _named(second), user} & {*variation.missing, *variation.rewired}
    ]


def _named(place: Origin) -> str:
    """Return the name of the tensor or variable of a place, as in re-traces."""
    return str(place.ref.tensor) if isinstance(place, FromAxis) else getattr(place, "variable", "")


def _is_read(graph: Graph, axis: FromAxis) -> bool:
    return graph.op_by_name[axis.ref.tensor.op].type == "ReadVariableOp"


def _beside(graph: Graph, link: Link, links: tuple[Link, ...]) -> tuple[str, ...]:
    """Return the other sizes from which a derived size was computed."""
    if link.relation == Relation.SAME:
        return ()
    others = (other.origin for other in links if other != link)
    sizes = ((origin, size_of(graph, origin)) for origin in others)
    return tuple(f"{spell_origin(origin)} ({size})" for origin, size in sizes if size != 1)


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
    """Return the size at a place, or None if it is unknown."""
    if isinstance(place, FromAxis):
        shape = graph.spec(place.ref.tensor).shape
        return shape[place.ref.axis] if shape else None
    if isinstance(place, FromVariable):
        shape = graph.variable_by_name[place.variable].spec.shape
        return shape[place.axis] if shape else None
    value = graph.op_by_name[place.op].attrs.get("value")
    number = value[place.element] if isinstance(value, list) else value
    return number if isinstance(number, int) else None


def _written(graph: Graph, lineage: Lineage, end: Origin, ways: ExplanationCache) -> Formula | None:
    if end not in ways.formulas:
        ways.formulas[end] = _formula(graph, lineage, end)
    return ways.formulas[end]


def _formula(graph: Graph, lineage: Lineage, end: Origin) -> Formula | None:
    """Return the first formula of an origin that no re-trace contradicts."""
    if isinstance(end, FromLiteral):
        return next(iter(lineage.formulas.get(f"{end.op}/{end.element}", ())), None)
    if not isinstance(end, FromVariable):
        return None
    formulas = lineage.formulas.get(f"{end.variable}/{end.axis}", ())
    traced = end.variable in lineage.traced
    complete = [change for change in lineage.variations if traced and not change.ended]
    moving = {change.setting for change in complete if _moves(change, end, graph)}
    still = {change.setting for change in complete if end.variable not in change.missing} - moving
    names = [(formula, set(formula.values)) for formula in formulas]
    return next((formula for formula, used in names if moving <= used and not used & still), None)


def _moves(variation: Variation, place: Origin, graph: Graph) -> bool:
    """Whether a variation changes the size of an axis. Literals change the tensor they decide."""
    if isinstance(place, FromLiteral):
        return False
    axis = place.ref.axis if isinstance(place, FromAxis) else place.axis
    changed = variation.shapes.get(_named(place), ())
    return axis < len(changed) and changed[axis] != size_of(graph, place)


def _agreements(graph: Graph, lineage: Lineage) -> list[Agreement]:
    """Return couplings of numbers in the user's code. Constants of TensorFlow are left out."""
    return [
        Agreement(
            op=pair.op,
            literal=spell_origin(pair.literal),
            partner=spell_origin(pair.partner),
            size=pair.size,
            effects=pair.effects,
        )
        for pair in lineage.couplings
        if f"{pair.literal.op}/{pair.literal.element}" in lineage.formulas
        and pair.op in graph.op_by_name
    ]


def _concerns(coupling: Agreement, chain: tuple[ChainStep, ...], end: Origin) -> bool:
    """Whether a chain contains a coupling."""
    places = (coupling.literal, coupling.partner)
    return spell_origin(end) in places or any(step.place in places for step in chain)
