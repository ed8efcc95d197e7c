"""Derives the size dependences of elementwise ops from their types, without trying sizes.

About half of the ops of a training step are elementwise. `axis_links` would find the same
dependences (tests/tracers/tensorflow/sizes/test_elementwise.py), but trying sizes is slow.
"""

from __future__ import annotations

from itertools import zip_longest

from resnet_inspect.graph.lineage import Relation
from resnet_inspect.tracers.tensorflow.sizes.dependences import Dependence, OpDependences, Spot
from resnet_inspect.tracers.tensorflow.sizes.op_types import BROADCAST, MERGED, UNARY
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Leaf, Probe


def elementwise(probe: Probe) -> OpDependences | None:
    """Return the dependences of an elementwise op of tensors; None if sizes must be tried.

    Sizes must be tried for other ops, if an axis of size 1 is broadcast, or if two sizes differ.
    """
    leaves = probe.leaves
    if not probe.takes_tensors() or any(leaf.assumed is None or 0 in leaf.sizes for leaf in leaves):
        return None
    if probe.type in UNARY or (len(leaves) == 1 and probe.type in MERGED | BROADCAST):
        return _following(leaves[0])
    if probe.type in MERGED:
        return _tied(leaves) if len({leaf.sizes for leaf in leaves}) == 1 else None
    if probe.type in BROADCAST and len(leaves) == 2:
        return _broadcast(leaves[0], leaves[1])
    return None


def _following(leaf: Leaf) -> OpDependences:
    return _dependences([((0, axis),) for axis in range(len(leaf.sizes))], leaf.sizes)


def _tied(leaves: list[Leaf]) -> OpDependences:
    # Each axis has the same size in all leaves.
    axes = range(len(leaves[0].sizes))
    ties = [tuple((number, axis) for number in range(len(leaves))) for axis in axes]
    return _dependences(ties, leaves[0].sizes)


def _broadcast(first: Leaf, second: Leaf) -> OpDependences | None:
    ranks = len(first.sizes), len(second.sizes)
    ties: list[tuple[Spot, ...]] = []
    pairs = zip_longest(reversed(first.sizes), reversed(second.sizes))
    for from_end, (size, other) in enumerate(pairs, start=1):
        spots = [(number, rank - from_end) for number, rank in enumerate(ranks) if from_end <= rank]
        if len(spots) == 2 and (size != other or size == 1):
            return None
        ties.append(tuple(spots))
    longest = first.sizes if ranks[0] >= ranks[1] else second.sizes
    return _dependences(ties[::-1], longest)


def _dependences(ties: list[tuple[Spot, ...]], sizes: tuple[int, ...]) -> OpDependences:
    """Return the dependences if each group of spots sets the size of one axis of the output."""
    dependences = [
        Dependence((0, axis), spot, Relation.SAME, tuple(other for other in spots if other != spot))
        for axis, spots in enumerate(ties)
        for spot in spots
    ]
    tied = tuple(spots for spots in ties if len(spots) > 1)
    return OpDependences(tuple(sorted(dependences, key=lambda d: d.spot)), tied, (), (sizes,))
