"""Follows the links of sizes to their origins, and finds the expressions there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import msgspec

from resnet_inspect.analysis.sizes.fits import Fits, owners
from resnet_inspect.analysis.sizes.origins import ending
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

MOST_PARTNERS = 20  # sizes that a variable may have been created to fit
BEST = 2


class ChainStep(msgspec.Struct, frozen=True):
    """One step of the path from an axis to the origin of its size.

    Attributes:
        place: an axis such as `add24:0 axis 3`, an element of a literal or an axis of a variable.
        relation: how the previous axis of the chain follows from this one.
        rivals: other sizes that must be equal to this one at the op.
        variable: name of the variable, empty for other places.
        beside: other sizes from which a derived size was computed.
        reason: for an end at an op, how the op gives the size or why it was not traced.
        input: name of the network's input, empty for other places and if the op has this name.
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
    reason: str = ""
    input: str = ""


class PathCache:
    """Results that paths of a run share.

    Attributes:
        walked: for each visited place, the rest of its path and the origin.
        formulas: the expression at each origin.
    """

    def __init__(self) -> None:
        self.walked: dict[Origin, tuple[tuple[ChainStep, ...], Origin]] = {}
        self.formulas: dict[Origin, Formula | None] = {}
        self._fits: Fits | None = None
        self._owners: dict[str, str] | None = None

    def fits(self, graph: Graph, lineage: Lineage) -> Fits:
        """Return the axes that must equal each other."""
        if self._fits is None:
            self._fits = Fits(graph, lineage)
        return self._fits

    def owners(self, graph: Graph) -> dict[str, str]:
        """Return the variable that each state of the optimizer belongs to."""
        if self._owners is None:
            self._owners = dict(owners(graph))
        return self._owners


def path_to_origin(
    graph: Graph, lineage: Lineage, start: Origin
) -> tuple[tuple[ChainStep, ...], Origin, Formula | None]:
    """Return the path from a size to its origin, the origin, and the expression there."""
    graph, ways = graph.whole, PathCache()
    chain, end = path_of(graph, lineage, start, ways)
    return chain, end, formula_at(graph, lineage, end, ways)


def spell_origin(origin: Origin) -> str:
    """Return the name of an origin for the user."""
    if isinstance(origin, FromAxis):
        return str(origin.ref)
    if isinstance(origin, FromVariable):
        return f"{origin.variable} axis {origin.axis}"
    return f"{origin.op} element {origin.element}"


def main_link(graph: Graph, lineage: Lineage, links: tuple[Link, ...]) -> Link | None:
    """Return the link to follow: the first with an equal size, otherwise the first.

    Sizes of 1 come last, because any two sizes of 1 are equal. Before them come constants that the
    user's code does not contain: a library computed them from the other sizes. So does a library
    with masks, such as that of a dropout: sizes of truth values come before constants.
    """

    def rank(link: Link) -> tuple[bool, bool, bool, bool]:
        origin = link.origin
        unwritten = False
        if isinstance(origin, FromLiteral):
            unwritten = f"{origin.op}/{origin.element}" not in lineage.formulas
        mask = isinstance(origin, FromAxis) and graph.spec(origin.ref.tensor).dtype == "bool"
        return size_of(graph, origin) == 1, unwritten, mask, link.relation != Relation.SAME

    return min(links, key=rank, default=None)


def path_of(
    graph: Graph, lineage: Lineage, start: Origin, ways: PathCache
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
            link = main_link(graph, lineage, links)
        else:
            links, link = (), _tie(graph, lineage, here, ways)
        if link is None or link.origin in seen:
            ways.walked[here] = (), here
            break
        step = _step(graph, lineage, link.origin, link, _beside(graph, link, links))
        walked.append((here, step))
        here = link.origin
        seen.add(here)
    rest, end = ways.walked[here]
    for place, step in reversed(walked):
        rest = (step, *rest)
        ways.walked[place] = rest, end
    return (_step(graph, lineage, start, None), *rest), end


def computed_from(lineage: Lineage, axis: AxisRef) -> tuple[Origin, ...]:
    """Return the sizes from which the size of an axis was computed.

    Of sizes that must be equal at the op, only the first is returned.
    """
    origins: list[Origin] = []
    equal: set[Origin] = set()
    for link in lineage.of(axis):
        if link.relation is Relation.DERIVED and link.origin not in equal:
            origins.append(link.origin)
            equal.update(link.tied)
    return tuple(origins)


def _tie(graph: Graph, lineage: Lineage, here: Origin, ways: PathCache) -> Link | None:
    """Return the size that an axis of a variable must equal, if the variable was created to fit it.

    This is so if re-traces change both sizes. It is also so if they change neither and the
    variable has no own expression. The state of an optimizer has the shape of its variable.
    """
    if not isinstance(here, FromVariable):
        return None
    owner = ways.owners(graph).get(here.variable)
    if owner is not None:
        return Link(FromVariable(owner, here.axis), Relation.SAME)
    written = formula_at(graph, lineage, here, ways) is not None
    direct: list[Link] = []
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
                    direct.append(Link(data[0], Relation.SAME))
    if written:
        return direct[0] if direct else None
    best: dict[int, Link] = {}
    for link in chain(direct, _fitted(graph, lineage, here, ways)):
        grade = _grade(graph, lineage, here, link, ways)
        best.setdefault(grade, link)
        if grade == BEST:
            return link
    return best.get(1) or next(iter(direct), None)


def _fitted(graph: Graph, lineage: Lineage, here: FromVariable, ways: PathCache) -> Iterator[Link]:
    """Yield sizes that an axis of a variable meets after ops that keep the axis.

    An example is the scale of a normalization, which gets axes of size 1 first.
    """
    for partner in islice(ways.fits(graph, lineage).partners(here), MOST_PARTNERS):
        moves = _moves_of_both(graph, lineage, partner.ref.tensor.op, here, partner)
        if all(first == second for first, second in moves):
            yield Link(partner, Relation.SAME)


def _grade(graph: Graph, lineage: Lineage, here: FromVariable, link: Link, ways: PathCache) -> int:
    """Return how well a size explains that of a variable.

    The grade is `BEST` if it leads to an expression or to data, and 1 if it leads to a variable
    with more axes, such as the kernel before a normalization. It is 0 for another variable, which
    may have been created to fit the same size.
    """
    place, seen = link.origin, set[Origin]()
    while isinstance(place, FromAxis) and place not in seen:
        seen.add(place)
        before = main_link(graph, lineage, lineage.of(place.ref))
        place = before.origin if before is not None else place
    if not isinstance(place, FromVariable) or formula_at(graph, lineage, place, ways) is not None:
        return BEST
    own, other = (
        graph.variable_by_name[v].spec.shape or () for v in (here.variable, place.variable)
    )
    return int(len(other) > len(own))


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
    others = (o.origin for o in links if o != link and o.relation is Relation.DERIVED)
    sizes = ((origin, size_of(graph, origin)) for origin in others)
    return tuple(f"{spell_origin(origin)} ({size})" for origin, size in sizes if size != 1)


def _step(
    graph: Graph,
    lineage: Lineage,
    place: Origin,
    link: Link | None,
    beside: tuple[str, ...] = (),
) -> ChainStep:
    ends = isinstance(place, FromAxis) and not lineage.of(place.ref)
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
        reason=ending(graph, lineage, place).reason if ends else "",
        source=next(iter(graph.op_by_name[op].source), None) if op in graph.op_by_name else None,
        input=graph.input_of_op.get(op, "") if isinstance(place, FromAxis) else "",
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


def formula_at(graph: Graph, lineage: Lineage, end: Origin, ways: PathCache) -> Formula | None:
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
