"""Finds which input sizes each output axis of an op depends on, by changing the input sizes.

One size is changed at a time. If the op accepts the change, the output axes that change depend on
this size. If the op rejects it, the size is tied to others. Sets of sizes are then changed
together, smallest sets first, until the op accepts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from resnet_inspect.graph.lineage import Relation
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.tracers.tensorflow.sizes.dependences import (
    CoupledSpots,
    Dependence,
    OpDependences,
    Place,
    Spot,
)
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Probe

Change = Callable[[int], int]
CHANGES: tuple[Change, ...] = (
    lambda size: size + 1,
    lambda size: 2 * size,
    lambda size: max(size // 2, 1),
)


def find_dependences(probe: Probe, expected: list[Shape]) -> OpDependences | None:
    """Return all dependences of an op; None if its shape function contradicts `expected`."""
    trial = _Trial(probe)
    for size in sorted({size for leaf in probe.leaves for size in leaf.shape or () if size}):
        if trial.before is not None or not probe.assume(size):
            break
        trial = _Trial(probe)
    if trial.before is None or not _agrees(trial.before, expected):
        return None
    dependences: list[Dependence] = []
    rejected: list[Spot] = []
    for spot in trial.spots():
        if trial.accepts((spot,)):
            dependences += trial.compare((spot,))
        else:
            rejected.append(spot)
    ties = list(trial.tied_sets(rejected))
    for spots in ties:
        dependences += trial.compare(spots)
    couplings = tuple(trial.couplings(dependences))
    genuine = sorted(trial.without_coincidences(dependences, couplings), key=lambda d: d.spot)
    settled = {spot for spots in ties for spot in spots}
    complete = settled.issuperset(rejected)
    return OpDependences(tuple(genuine), tuple(ties), couplings, trial.before, complete)


class _Trial:
    """The output shapes of one op, with its actual input sizes and with changed ones."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._base = [leaf.sizes for leaf in probe.leaves]
        self._after: dict[tuple[Spot, ...], tuple[tuple[Shape, ...], Change] | None] = {}
        self.before = probe.run(self._base)

    def spots(self) -> Iterator[Spot]:
        """Yield all sizes that can be changed."""
        for number, leaf in enumerate(self._probe.leaves):
            for axis, size in enumerate(leaf.sizes):
                if size > 0:
                    yield number, axis

    def accepts(self, spots: tuple[Spot, ...]) -> bool:
        """Return whether the op accepts a common change of all `spots`."""
        return self._changed(spots) is not None

    def size(self, spot: Spot) -> int:
        """Return the actual size at a spot."""
        return self._base[spot[0]][spot[1]]

    def tied_sets(self, rejected: list[Spot]) -> Iterator[tuple[Spot, ...]]:
        """Yield the smallest sets of rejected sizes that the op accepts if they change together."""
        left = list(rejected)
        is_reshape = self._probe.type == "Reshape"
        for pair in combinations(rejected, 2):
            equal = self.size(pair[0]) == self.size(pair[1])
            if not equal or pair[0][0] == pair[1][0] or not self.accepts(pair):
                continue
            if not is_reshape or self._in_order(pair):
                left = [spot for spot in left if spot not in pair]
                yield pair
        if is_reshape:  # other sets may only have the same product by coincidence
            return
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

    def _in_order(self, pair: tuple[Spot, Spot]) -> bool:
        """Return whether an input axis of a Reshape and the output axis keep their elements' order.

        As many elements are inside the one axis as inside the other.
        """
        data = [axis for leaf, axis in pair if leaf == 0]
        after, _ = self._changed(pair) or (self.before or (), CHANGES[0])
        changed = self._differences(after)
        if len(data) != 1 or len(changed) != 1:
            return not data
        inside = self._probe.leaves[0].sizes[data[0] + 1 :]
        shape = (self.before or ((),))[0] or ()
        return math.prod(inside) == math.prod(size or 0 for size in shape[changed[0][1] + 1 :])

    def _partner_by_multiples(self, spot: Spot) -> Spot | None:
        """Return the size that `spot` must be a multiple of, if it currently equals that size.

        Examples are the input channels of a grouped convolution and those of its kernel.
        """
        grow = CHANGES[0]
        for other in self.spots():
            literal = any(self._probe.leaves[s[0]].literal is not None for s in (spot, other))
            if literal or other[0] == spot[0] or self.size(other) != self.size(spot):
                continue
            if self._grown((other,), grow) is None and self._grown((spot, other), grow) is not None:
                return other
        return None

    def compare(self, spots: tuple[Spot, ...]) -> Iterator[Dependence]:
        """Yield the dependences on `spots`, which the op accepts when they change together."""
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

    def couplings(self, dependences: list[Dependence]) -> Iterator[CoupledSpots]:
        """Yield literals that set an axis, the size each must equal, and the effect otherwise."""
        leaves = self._probe.leaves
        literals = {
            d.spot: d.place
            for d in dependences
            if leaves[d.spot[0]].literal is not None and d.relation is Relation.SAME
        }
        for literal, place in literals.items():
            partners = [spot for spot in self.spots() if self._agrees_with(literal, place, spot)]
            if partners:
                # Among equal sizes, prefer the one at the same distance from the last axis, because
                # a reshape keeps the order of the axes.
                rank = len((self.before or ((),))[place[0]] or ())
                end = rank - place[1]
                spot = min(partners, key=lambda s: abs(len(leaves[s[0]].sizes) - s[1] - end))
                alone = self._grown((spot,), CHANGES[0])
                yield literal, spot, () if alone is None else self._effects(alone)

    def _agrees_with(self, literal: Spot, place: Place, spot: Spot) -> bool:
        """Return whether only `place` changes if a literal and an equal size change together."""
        leaf = self._probe.leaves[spot[0]]
        if leaf.literal is not None or self.size(spot) != self.size(literal):
            return False
        shape = (self.before or ())[place[0]] or ()
        alone = self._grown((spot,), CHANGES[0])
        if alone is not None and not self._differences(alone):
            return False  # the op accepts any size there
        if None not in shape and math.prod(leaf.sizes) == math.prod(s or 0 for s in shape):
            # A reshape keeps the order of elements: equal axes have equally many elements inside.
            within = math.prod(leaf.sizes[spot[1] + 1 :])
            if within != math.prod(s or 0 for s in shape[place[1] + 1 :]):
                return False
        together = self._grown((literal, spot), CHANGES[0])
        return together is not None and self._differences(together) == [place]

    def without_coincidences(
        self, dependences: list[Dependence], couplings: tuple[CoupledSpots, ...]
    ) -> Iterator[Dependence]:
        """Yield the dependences, without those that exist only because numbers happen to be equal.

        The size coupled to a literal changes other axes only if the two disagree, which the
        coupling describes. If several sizes each change an axis alone, the axis is derived from
        all of them, even if its size equals one of theirs.
        """
        partners = {spot: literal for literal, spot, _ in couplings}
        set_by = {d.spot: d.place for d in dependences}
        genuine = [
            d
            for d in dependences
            if d.spot not in partners or set_by.get(partners[d.spot]) == d.place
        ]
        sources: dict[Place, set[Spot]] = {}
        for dependence in genuine:
            spot, place = dependence.spot, dependence.place
            literal = self._probe.leaves[spot[0]].literal is not None
            if not dependence.tied and not literal and self.size(spot) != 1:
                sources.setdefault(place, set()).add(spot)
        for dependence in genuine:
            spots = sources.get(dependence.place, set())
            derived = len(spots) > 1 and dependence.spot in spots
            yield replace(dependence, relation=Relation.DERIVED) if derived else dependence

    def _differences(self, after: tuple[Shape, ...]) -> list[Place]:
        return [
            (output, axis)
            for output, (old, new) in enumerate(zip(self.before or (), after, strict=True))
            for axis, pair in enumerate(zip(old or (), new or (), strict=False))
            if pair[0] != pair[1]
        ]

    def _effects(self, after: tuple[Shape, ...]) -> tuple[tuple[int, int, int], ...]:
        """Return the changed axes of the first output, each with its size before and after."""
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
        # A literal that changes an axis to another number is a size only if it is an amount.
        # Otherwise it is the position of an axis, or a flag.
        leaf = self._probe.leaves[spot[0]]
        return Relation.DERIVED if leaf.literal is None or leaf.amount else None

    def _changed(self, spots: tuple[Spot, ...]) -> tuple[tuple[Shape, ...], Change] | None:
        """Return the output shapes after a common change of `spots`, and the change.

        None if the op rejects all changes. Changes are tried until the output changes: adding 1
        has no effect where there is a stride, and the target of a reshape may only be halved.
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
        sizes = [list(leaf_sizes) for leaf_sizes in self._base]
        for spot in spots:
            sizes[spot[0]][spot[1]] = grow(self.size(spot))
        return self._probe.run([tuple(leaf_sizes) for leaf_sizes in sizes])


def _agrees(shapes: tuple[Shape, ...], expected: list[Shape]) -> bool:
    """Return whether all sizes that `expected` has are the same in `shapes`."""
    for shape, other in zip(shapes, expected, strict=True):
        if other is None:
            continue
        if shape is None or len(shape) != len(other):
            return False
        if any(b is not None and a != b for a, b in zip(shape, other, strict=True)):
            return False
    return True
