"""What each axis of an op's outputs depends on, found by changing what the op takes.

One size is changed at a time. If the op accepts that, the output axes that change depend on it.
If it refuses, the size is tied to others: sets of sizes are then changed together, smallest
first, until the op accepts. Answers are kept by the signature of the op.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import (
    Coupling,
    FromAxis,
    FromLiteral,
    FromVariable,
    Lineage,
    Link,
    Origin,
    Relation,
    axis_key,
)
from resnet_inspect.tracers.tensorflow.sizes.answers import (
    Answer,
    CoupledSpots,
    Dependence,
    Place,
    Spot,
)
from resnet_inspect.tracers.tensorflow.sizes.elementwise import elementwise
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Leaf, Probe, Scratch, Shape

Change = Callable[[int], int]
CHANGES: tuple[Change, ...] = (
    lambda size: size + 1,
    lambda size: 2 * size,
    lambda size: max(size // 2, 1),
)


def trace_lineage(graph: Any, kept: Graph) -> Lineage:
    """The lineage of all ops in `kept`, which was captured from the TensorFlow graph `graph`."""
    nodes = {node.name: node for node in graph.as_graph_def().node}
    variables = {handle: v.name for v in kept.variables for handle in v.handles}
    scratch = Scratch()
    known: dict[Any, Answer | None] = {}
    links: dict[str, tuple[Link, ...]] = {}
    ties: dict[str, tuple[tuple[Origin, ...], ...]] = {}
    couplings: list[Coupling] = []
    opaque: list[str] = []
    for op in kept.ops:
        if not any(spec.shape for spec in op.outputs) or not op.inputs:
            continue
        if op.inputs[0].op in variables:
            links.update(_of_variable(op.name, variables[op.inputs[0].op], op.outputs[0].shape))
            continue
        probe = Probe(graph.get_operation_by_name(op.name), nodes, scratch)
        signature = probe.signature()
        if signature not in known:
            answer = elementwise(probe)
            known[signature] = answer or find_dependences(probe, [one.shape for one in op.outputs])
        found = known[signature]
        if found is None:
            opaque.append(op.name)
            continue
        links.update(_as_links(op.name, probe.leaves, found.dependences))
        if found.ties:
            spell = _Origins(probe.leaves)
            ties[op.name] = tuple(tuple(spell(spot) for spot in spots) for spots in found.ties)
        couplings += _as_couplings(op.name, probe.leaves, found)
    return Lineage(links, ties, tuple(couplings), opaque=tuple(opaque))


def find_dependences(probe: Probe, wanted: list[Shape]) -> Answer | None:
    """All dependences of an op; None if its shape function does not give the shapes it has."""
    trial = _Trial(probe)
    for size in sorted({size for leaf in probe.leaves for size in leaf.shape or () if size}):
        if trial.before is not None or not probe.assume(size):
            break
        trial = _Trial(probe)
    if trial.before is None or not _agrees(trial.before, wanted):
        return None
    found: list[Dependence] = []
    refused: list[Spot] = []
    for spot in trial.spots():
        if trial.accepts((spot,)):
            found += trial.compare((spot,))
        else:
            refused.append(spot)
    ties = list(trial.tied_sets(refused))
    for spots in ties:
        found += trial.compare(spots)
    couplings = tuple(trial.couplings(found))
    found = sorted(trial.told_apart(found, couplings), key=lambda one: one.spot)
    return Answer(tuple(found), tuple(ties), couplings)


class _Trial:
    """One op's shapes as they are, and as they would be if some sizes it takes were larger."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._base = [leaf.sizes for leaf in probe.leaves]
        self._after: dict[tuple[Spot, ...], tuple[tuple[Shape, ...], Change] | None] = {}
        self.before = probe.run(self._base)

    def spots(self) -> Iterator[Spot]:
        """All sizes that can be changed."""
        for number, leaf in enumerate(self._probe.leaves):
            for axis, size in enumerate(leaf.sizes):
                if size > 0:
                    yield number, axis

    def accepts(self, spots: tuple[Spot, ...]) -> bool:
        """Whether the op accepts that all of `spots` are larger."""
        return self._changed(spots) is not None

    def size(self, spot: Spot) -> int:
        """The size at a spot as it is."""
        return self._base[spot[0]][spot[1]]

    def tied_sets(self, refused: list[Spot]) -> Iterator[tuple[Spot, ...]]:
        """Smallest sets of refused sizes that the op accepts when they change together."""
        left = list(refused)
        for pair in combinations(refused, 2):
            equal = self.size(pair[0]) == self.size(pair[1])
            if equal and pair[0][0] != pair[1][0] and self.accepts(pair):
                left = [spot for spot in left if spot not in pair]
                yield pair
        for axis in sorted({axis for _, axis in left}):
            column = tuple(spot for spot in left if spot[1] == axis)
            equal = len({self.size(spot) for spot in column}) == 1
            if len(column) > 2 and equal and self.accepts(column):
                left = [spot for spot in left if spot not in column]
                yield column
        for size in sorted({self.size(spot) for spot in left}):
            group = tuple(spot for spot in left if self.size(spot) == size)
            if len(group) > 1 and self.accepts(group):
                left = [spot for spot in left if spot not in group]
                yield group
        for spot in left:
            partner = self._partner_by_multiples(spot)
            if partner is not None:
                yield spot, partner

    def _partner_by_multiples(self, spot: Spot) -> Spot | None:
        """The size that `spot` is tied to although it may be a multiple of it: the channels a
        grouped convolution takes, against those of its kernel.
        """
        grow = CHANGES[0]
        for other in self.spots():
            literal = any(self._probe.leaves[one[0]].literal is not None for one in (spot, other))
            if literal or other[0] == spot[0] or self.size(other) != self.size(spot):
                continue
            if self._grown((other,), grow) is None and self._grown((spot, other), grow) is not None:
                return other
        return None

    def compare(self, spots: tuple[Spot, ...]) -> Iterator[Dependence]:
        """What follows `spots`, which the op accepts when they change together."""
        after, change = self._changed(spots) or (self.before or (), CHANGES[0])
        for output, (old, new) in enumerate(zip(self.before or (), after, strict=True)):
            if old is None or new is None or len(old) != len(new):
                continue
            for axis, (size, changed) in enumerate(zip(old, new, strict=True)):
                if size != changed and size is not None and changed is not None:
                    for spot in spots:
                        relation = self._relation(spot, size, changed, change)
                        if relation is not None:
                            tied = tuple(other for other in spots if other != spot)
                            yield Dependence((output, axis), spot, relation, tied)

    def couplings(self, found: list[Dependence]) -> Iterator[CoupledSpots]:
        """Literals that decide an axis, with the size that must be equal, and what happens else."""
        leaves = self._probe.leaves
        literals = {one.spot: one.place for one in found if leaves[one.spot[0]].literal is not None}
        for literal, place in literals.items():
            partners = [spot for spot in self.spots() if self._agrees_with(literal, place, spot)]
            if partners:
                # Of equal sizes the one as far from the last axis: a reshape keeps their order.
                rank = len((self.before or ((),))[place[0]] or ())
                end = rank - place[1]
                spot = min(partners, key=lambda s: abs(len(leaves[s[0]].sizes) - s[1] - end))
                alone = self._grown((spot,), CHANGES[0])
                yield literal, spot, () if alone is None else self._effects(alone)

    def _agrees_with(self, literal: Spot, place: Place, spot: Spot) -> bool:
        """Whether nothing but `place` changes if a literal and an equal size change together."""
        leaf = self._probe.leaves[spot[0]]
        if leaf.literal is not None or self.size(spot) != self.size(literal):
            return False
        shape = (self.before or ())[place[0]] or ()
        if None not in shape and math.prod(leaf.sizes) == math.prod(s or 0 for s in shape):
            # Elements keep their order, so an axis is the same only if as many follow within it.
            within = math.prod(leaf.sizes[spot[1] + 1 :])
            if within != math.prod(s or 0 for s in shape[place[1] + 1 :]):
                return False
        together = self._grown((literal, spot), CHANGES[0])
        return together is not None and self._differences(together) == [place]

    def told_apart(
        self, found: list[Dependence], couplings: tuple[CoupledSpots, ...]
    ) -> Iterator[Dependence]:
        """Without what is followed by accident of numbers.

        The partner of a literal moves other axes only where the two disagree: the coupling tells
        that. And a size that several axes move, each alone, is made of all of them, even if it
        happens to equal one.
        """
        partners = {spot: literal for literal, spot, _ in couplings}
        decided = {one.spot: one.place for one in found}
        kept = [
            one
            for one in found
            if one.spot not in partners or decided.get(partners[one.spot]) == one.place
        ]
        movers: dict[Place, set[Spot]] = {}
        for one in kept:
            literal = self._probe.leaves[one.spot[0]].literal is not None
            if not one.tied and not literal and self.size(one.spot) != 1:
                movers.setdefault(one.place, set()).add(one.spot)
        for one in kept:
            several = len(movers.get(one.place, ())) > 1 and one.spot in movers[one.place]
            yield replace(one, relation=Relation.DERIVED) if several else one

    def _differences(self, after: tuple[Shape, ...]) -> list[Place]:
        return [
            (output, axis)
            for output, (old, new) in enumerate(zip(self.before or (), after, strict=True))
            for axis, pair in enumerate(zip(old or (), new or (), strict=False))
            if pair[0] != pair[1]
        ]

    def _effects(self, after: tuple[Shape, ...]) -> tuple[tuple[int, int, int], ...]:
        """The axes of the first output that change, with their sizes before and after."""
        old, new = (self.before or (None,))[0] or (), after[0] or ()
        return tuple(
            (axis, a, b)
            for axis, (a, b) in enumerate(zip(old, new, strict=False))
            if a != b and a is not None and b is not None
        )

    def _relation(self, spot: Spot, size: int, changed: int, change: Change) -> Relation | None:
        origin = self.size(spot)
        if size == origin and changed == change(size):
            return Relation.SAME
        # A literal that is followed by another number is no size, but an axis or a flag.
        literal = self._probe.leaves[spot[0]].literal is not None
        return None if literal else Relation.DERIVED

    def _changed(self, spots: tuple[Spot, ...]) -> tuple[tuple[Shape, ...], Change] | None:
        """The outputs if all of `spots` are others, and how they were changed; None if refused.

        Growing by one leaves some sizes as they are that a doubled one moves (a stride), and some
        may only be halved (the target of a reshape), so all are tried until something changes.
        """
        if spots not in self._after:
            best = None
            literal = all(self._probe.leaves[spot[0]].literal is not None for spot in spots)
            for change in CHANGES if literal else CHANGES[:2]:
                after = self._grown(spots, change)
                best = best if after is None else (after, change)
                if best is not None and best[0] != self.before:
                    break
            self._after[spots] = best
        return self._after[spots]

    def _grown(self, spots: tuple[Spot, ...], grow: Change) -> tuple[Shape, ...] | None:
        sizes = [list(one) for one in self._base]
        for spot in spots:
            sizes[spot[0]][spot[1]] = grow(self.size(spot))
        return self._probe.run([tuple(one) for one in sizes])


def _agrees(found: tuple[Shape, ...], wanted: list[Shape]) -> bool:
    """Whether no known size is lost or different; shapes the graph itself does not know are."""
    for one, other in zip(found, wanted, strict=True):
        if other is None:
            continue
        if one is None or len(one) != len(other):
            return False
        if any(b is not None and a != b for a, b in zip(one, other, strict=True)):
            return False
    return True


def _of_variable(op: str, name: str, shape: Shape) -> Iterator[tuple[str, tuple[Link, ...]]]:
    for axis in range(len(shape or ())):
        link = Link(FromVariable(name, axis), Relation.SAME)
        yield axis_key(TensorRef(op), axis), (link,)


class _Origins:
    """Names the sizes that an op takes."""

    def __init__(self, leaves: list[Leaf]) -> None:
        self._leaves = leaves

    def __call__(self, spot: Spot) -> Origin:
        leaf = self._leaves[spot[0]]
        if leaf.literal is not None:
            return FromLiteral(leaf.name, spot[1])
        return FromAxis(AxisRef(TensorRef(leaf.name, leaf.index), spot[1]))


def _as_couplings(op: str, leaves: list[Leaf], found: Answer) -> Iterator[Coupling]:
    origin = _Origins(leaves)
    for literal, spot, effects in found.couplings:
        number, partner = origin(literal), origin(spot)
        if isinstance(number, FromLiteral) and isinstance(partner, FromAxis):
            yield Coupling(op, number, partner, leaves[spot[0]].sizes[spot[1]], effects)


def _as_links(
    op: str, leaves: list[Leaf], found: tuple[Dependence, ...]
) -> dict[str, tuple[Link, ...]]:
    origin = _Origins(leaves)
    links: dict[str, list[Link]] = {}
    for one in found:
        link = Link(origin(one.spot), one.relation, tuple(origin(spot) for spot in one.tied))
        key = axis_key(TensorRef(op, one.place[0]), one.place[1])
        if link not in links.setdefault(key, []):
            links[key].append(link)
    return {key: tuple(several) for key, several in links.items()}
