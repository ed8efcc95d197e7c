"""Sizes after ops that move, repeat or cut axes. They read how from their other inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_inspect.analysis.costs.batch_sizes import Size, divided, product
from resnet_inspect.analysis.costs.constants import Element, as_size
from resnet_inspect.graph import Op


class Move(NamedTuple):
    """An op that moves axes.

    Attributes:
        op: the op.
        sizes: the sizes of its first input.
        origins: the open sizes from which that input was computed.
        values: the elements of its other inputs, None where they are unknown.
    """

    op: Op
    sizes: tuple[Size, ...]
    origins: frozenset[Size]
    values: list[list[Element] | None]

    def size(self, place: int) -> Size:
        """Return the size of an axis of the first input."""
        return self.sizes[place] if place < len(self.sizes) else None


def _transposed(move: Move, axis: int) -> Size:
    place = move.values[0][axis] if move.values[0] is not None else None
    return move.size(place) if isinstance(place, int) else None


def _tiled(move: Move, axis: int) -> Size:
    times = move.values[0][axis] if move.values[0] is not None else None
    return product((move.size(axis), as_size(times)))


def _sliced(move: Move, axis: int) -> Size:
    """Return the size of an axis that a slice keeps whole."""
    if move.op.attrs.get("ellipsis_mask") or move.op.attrs.get("new_axis_mask"):
        return next(iter(move.origins)) if len(move.origins) == 1 else None
    dropped, begin, end = (
        int(str(move.op.attrs.get(f"{name}_mask", 0))) for name in ("shrink_axis", "begin", "end")
    )
    place = [place for place in range(32) if not dropped >> place & 1][axis]
    sliced = move.values[0] is None or place < len(move.values[0])
    whole = begin >> place & 1 and end >> place & 1
    return move.size(place) if whole or not sliced else None


def _part(move: Move, axis: int) -> Size:
    begin, size = move.values[0], move.values[1]
    if size is None or begin is None:
        return None
    if size[axis] == -1:
        return move.size(axis) if begin[axis] == 0 else None
    return as_size(size[axis])


def _blocks(move: Move, axis: int) -> Size:
    sizes = move.values[0]
    if axis:
        return 1
    return None if sizes is None else product(map(as_size, sizes))


def _into_batch(move: Move, axis: int) -> Size:
    return product((move.size(axis), _blocks(move, axis)))


def _out_of_batch(move: Move, axis: int) -> Size:
    return divided(move.size(axis), _blocks(move, axis))


# The size of one axis of the output.
MOVERS: dict[str, Callable[[Move, int], Size]] = {
    "Transpose": _transposed,
    "Tile": _tiled,
    "StridedSlice": _sliced,
    "Slice": _part,
    "SpaceToBatchND": _into_batch,
    "BatchToSpaceND": _out_of_batch,
}
