"""How a tensor reads an axis of the network's input: by which axis and with which intervals."""

from __future__ import annotations

from typing import NamedTuple

from resnet_inspect.analysis.receptive.fields import Field
from resnet_inspect.graph import TensorRef


class InputAxis(NamedTuple):
    """An axis of an input of the network."""

    tensor: TensorRef
    axis: int


class Located(NamedTuple):
    """Positions of an input axis are read by positions of an axis of a tensor.

    Attributes:
        axis: the axis of the tensor.
        size: the number of positions; None if unknown.
        inner: positions of other axes that a reshape merged into this axis, after this one. Then
            position p is at `p // inner % size`.
        field: the intervals.
        blocks: the number of blocks into which the axis is split, for a dilated convolution.
    """

    axis: int
    size: int | None
    inner: int = 1
    field: Field = Field()
    blocks: int = 1

    def spread(self) -> Located:
        """Return the same for merged axes as repeated positions, as after an enlargement."""
        if self.inner == 1 or self.size is None:
            return self
        field = self.field.repeated(self.inner)
        return self._replace(field=field, size=self.size * self.inner, inner=1)


class Whole(NamedTuple):
    """Each element of a tensor reads all positions of an input axis."""


class Unlocated(NamedTuple):
    """It is unknown which positions an element reads. `op` is the type of the op that is why."""

    op: str


Reach = Located | Whole | Unlocated
# For each input axis that a tensor depends on.
Reaches = dict[InputAxis, Reach]


def joined(first: Reach, second: Reach, op: str) -> Reach:
    """Return what an op of type `op` reads that reads both."""
    if isinstance(first, Whole) or isinstance(second, Whole):
        return Whole()
    if isinstance(first, Unlocated):
        return first
    if isinstance(second, Unlocated):
        return second
    if first.inner != second.inner:
        first, second = first.spread(), second.spread()
    field = first.field.joined(second.field)
    if field is None or first._replace(field=second.field) != second:
        return Unlocated(op)
    return first._replace(field=field)


def all_joined(parts: list[Reaches], op: str) -> Reaches:
    """Return what an op reads that reads several tensors."""
    result: Reaches = {}
    for part in parts:
        for axis, reach in part.items():
            result[axis] = joined(result[axis], reach, op) if axis in result else reach
    return result
