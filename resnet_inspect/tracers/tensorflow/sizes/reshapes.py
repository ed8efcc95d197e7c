"""Derives the size dependences of a Reshape to given sizes from the order of the elements.

A Reshape keeps the order of its elements, so its axes split into groups with the same number of
elements before and after. Changes of single sizes do not show this, because the Reshape rejects
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.graph.lineage import Relation
from resnet_inspect.tracers.tensorflow.sizes.dependences import Dependence, Spot
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Leaf


def reshape_dependences(leaves: Sequence[Leaf], sizes: tuple[int, ...]) -> Iterator[Dependence]:
    """Yield the dependences of the axes of a Reshape to `sizes`.

    The first leaf is the tensor, the second one the target if the target is a constant. An axis
    comes from the element of the target, and from the input axes of its group.
    """
    data, target = leaves[0], leaves[1] if len(leaves) == 2 else None
    elements = target.literal if target is not None else None
    written = elements if elements is not None and len(elements) == len(sizes) else None
    for axis, size in enumerate(sizes):
        if written is not None and written[axis] == size:
            yield Dependence((0, axis), (1, axis), Relation.SAME, ())
    for before, after in axis_groups(data.sizes, sizes):
        spots: list[Spot] = [(0, axis) for axis in before]
        for axis in after:
            others: list[Spot] = [(1, other) for other in after if other != axis]
            if len(after) == 1:
                relation = Relation.SAME if len(before) == 1 else Relation.DERIVED
                yield from (Dependence((0, axis), spot, relation, ()) for spot in spots)
            elif written is not None and written[axis] < 0:
                yield from (
                    Dependence((0, axis), spot, Relation.DERIVED, ()) for spot in (*spots, *others)
                )


def axis_groups(
    before: Sequence[int], after: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the smallest groups of axes with the same number of elements before and after.

    Axes of size 1 belong to no group.
    """
    old = [axis for axis, size in enumerate(before) if size != 1]
    new = [axis for axis, size in enumerate(after) if size != 1]
    while old and new:
        first, second = [old.pop(0)], [new.pop(0)]
        left, right = before[first[0]], after[second[0]]
        while left != right:
            if left < right and old:
                first.append(old.pop(0))
                left *= before[first[-1]]
            elif right < left and new:
                second.append(new.pop(0))
                right *= after[second[-1]]
            else:
                return
        yield tuple(first), tuple(second)
