"""Which axes of its input each axis of a Reshape consists of, from the order of the elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from resnet_inspect.graph import Op, TensorSpec
from resnet_inspect.graph.tensors import Shape


def target_of(op: Op) -> Op:
    """Return an op whose output has the target shape of a Reshape, and that reads only the target.

    A target size of -1 becomes an unknown size.
    """
    return msgspec.structs.replace(
        op,
        type="Empty",
        inputs=op.inputs[1:],
        outputs=(TensorSpec(None, "float32"),),
        attrs={"dtype": "float32", "init": False},
    )


def completed(target: Shape, data: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of a Reshape of a tensor to `target`, which has at most one unknown size."""
    known = math.prod(size for size in target or () if size is not None)
    left = math.prod(data) // known if known else 0
    return tuple(left if size is None else size for size in target or ())


Group = tuple[tuple[int, ...], tuple[int, ...]]


def axis_groups(before: Sequence[int], after: Sequence[int]) -> list[Group]:
    """Return the smallest groups of axes with the same number of elements before and after.

    A Reshape keeps the order of its elements, so its axes split into such groups. Axes of size 1
    belong to no group.
    """
    old = [axis for axis, size in enumerate(before) if size != 1]
    new = [axis for axis, size in enumerate(after) if size != 1]
    groups: list[Group] = []
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
                return groups
        groups.append((tuple(first), tuple(second)))
    return groups
