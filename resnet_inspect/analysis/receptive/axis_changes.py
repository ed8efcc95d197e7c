"""Where ops put one axis, and which of its positions they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_inspect.analysis.costs.constants import Constants, Element
from resnet_inspect.analysis.receptive.fields import Field
from resnet_inspect.analysis.receptive.reach import Located, Reach, Unlocated, Whole
from resnet_inspect.analysis.receptive.reshaped_axes import reshaped
from resnet_inspect.graph import Graph, Op, TensorRef


class GraphValues(NamedTuple):
    """A graph and the values of its small tensors."""

    graph: Graph
    constants: Constants

    def size(self, op: Op, axis: int) -> int | None:
        shape = op.outputs[0].shape
        return shape[axis] if shape else None

    def rank(self, op: Op, place: int = 0) -> int:
        return len(self.graph.spec(op.inputs[place]).shape or ())

    def numbers(self, ref: TensorRef) -> list[int] | None:
        """Return the whole numbers of a scalar or vector; None if one is unvalues."""
        value = self.constants.of(ref)
        elements: list[Element] = value if isinstance(value, list) else [value]
        numbers = [element for element in elements if isinstance(element, int)]
        return numbers if len(numbers) == len(elements) else None

    def matrix(self, ref: TensorRef) -> list[int] | None:
        """Return the elements of a matrix, which is a constant."""
        values = self.graph.op_by_name[ref.op].attrs.get("value")
        return [int(value) for value in values] if isinstance(values, list) else None


def _reduced(values: GraphValues, op: Op, reach: Located) -> Reach | None:
    """Return a reach after a reduction; None for a statistic of the batch."""
    rank = values.rank(op)
    axes = values.numbers(op.inputs[1])
    if axes is None:
        return Unlocated(op.type)
    removed = {axis % rank for axis in axes} if rank else set()
    if 0 in removed and reach.axis != 0:
        return None
    if reach.axis in removed:
        return Whole()
    before = 0 if op.attrs.get("keep_dims") else sum(axis < reach.axis for axis in removed)
    return reach._replace(axis=reach.axis - before)


def _softmax(values: GraphValues, op: Op, reach: Located) -> Reach:
    return Whole() if reach.axis == values.rank(op) - 1 else reach


def _transposed(values: GraphValues, op: Op, reach: Located) -> Reach:
    order = values.numbers(op.inputs[1])
    return Unlocated(op.type) if order is None else reach._replace(axis=order.index(reach.axis))


def _expanded(values: GraphValues, op: Op, reach: Located) -> Reach:
    places = values.numbers(op.inputs[1])
    if places is None:
        return Unlocated(op.type)
    place = places[0] % (values.rank(op) + 1)
    return reach._replace(axis=reach.axis + (place <= reach.axis))


def _squeezed(values: GraphValues, op: Op, reach: Located) -> Reach:
    shape = values.graph.spec(op.inputs[0]).shape or ()
    axes = op.attrs.get("squeeze_dims") or [at for at, size in enumerate(shape) if size == 1]
    removed = {int(axis) % len(shape) for axis in axes} if isinstance(axes, list) else set()
    if reach.axis in removed:
        return Unlocated(op.type)
    return reach._replace(axis=reach.axis - sum(axis < reach.axis for axis in removed))


def _without_axis(values: GraphValues, op: Op, reach: Located) -> Reach:
    place = int(str(op.attrs.get("axis", 0))) % max(values.rank(op), 1)
    if place == reach.axis:
        return Unlocated(op.type)
    return reach._replace(axis=reach.axis - (place < reach.axis))


def _stacked(values: GraphValues, op: Op, reach: Located) -> Reach:
    """Return a reach after ConcatV2 or Pack, whose axis the reach must not have."""
    rank = len(op.outputs[0].shape or ())
    if op.type == "Pack":
        place = int(str(op.attrs.get("axis", 0))) % max(rank, 1)
        return reach._replace(axis=reach.axis + (place <= reach.axis))
    axes = values.numbers(op.inputs[-1])
    if axes is None or axes[0] % max(rank, 1) == reach.axis:
        return Unlocated(op.type)
    return reach


def _split(values: GraphValues, op: Op, reach: Located) -> Reach:
    axes = values.numbers(op.inputs[0 if op.type == "Split" else -1])
    rank = len(op.outputs[0].shape or ())
    kept = axes is not None and axes[0] % max(rank, 1) != reach.axis
    return reach if kept else Unlocated(op.type)


def _padded(values: GraphValues, op: Op, reach: Located) -> Reach:
    pads = values.matrix(op.inputs[1])
    if pads is None:
        return Unlocated(op.type)
    return _shifted(values, op, reach, -pads[2 * reach.axis])


def _sliced(values: GraphValues, op: Op, reach: Located) -> Reach:
    masks = {
        name: int(str(op.attrs.get(f"{name}_mask", 0)))
        for name in ("ellipsis", "new_axis", "shrink_axis", "begin", "end")
    }
    begins, steps = values.numbers(op.inputs[1]), values.numbers(op.inputs[3])
    if masks["new_axis"] or begins is None or steps is None:
        return Unlocated(op.type)
    place = reach.axis
    if masks["ellipsis"]:
        at = masks["ellipsis"].bit_length() - 1
        skipped = values.rank(op) - len(begins) + 1
        if at <= place < at + skipped:
            place = len(begins)
        elif place >= at + skipped:
            place -= skipped - 1
    dropped = [axis for axis in range(len(begins)) if masks["shrink_axis"] >> axis & 1]
    if place in dropped:
        return Unlocated(op.type)
    moved = reach._replace(axis=reach.axis - sum(axis < place for axis in dropped))
    if place >= len(begins):
        return moved
    start = 0 if masks["begin"] >> place & 1 else begins[place]
    if steps[place] < 1:
        return Unlocated(op.type)
    if start < 0:
        if reach.size is None:
            return Unlocated(op.type)
        start += reach.size
    before = (values.graph.spec(op.inputs[0]).shape or ())[reach.axis]
    if (start, steps[place], values.size(op, moved.axis)) == (0, 1, before):
        return moved
    return _shifted(values, op, moved, start, steps[place])


def _tiled(values: GraphValues, op: Op, reach: Located) -> Reach:
    times = values.constants.vector(op.inputs[1])
    return reach if times is not None and times[reach.axis] == 1 else Unlocated(op.type)


def _resized(values: GraphValues, op: Op, reach: Located) -> Reach:
    if reach.axis not in (1, 2):
        return reach
    reach, after = reach.spread(), values.size(op, reach.axis)
    if reach.size is None or after is None or op.attrs.get("align_corners") or reach.inner != 1:
        return Unlocated(op.type)
    field = reach.field.resized(
        reach.size,
        after,
        linear=op.type == "ResizeBilinear",
        half=bool(op.attrs.get("half_pixel_centers")),
    )
    return reach._replace(field=field, size=after)


def _to_blocks(values: GraphValues, op: Op, reach: Located) -> Reach:
    """Return a reach after SpaceToBatchND: of the padded axis, with the number of blocks."""
    blocks, pads = values.numbers(op.inputs[1]), values.matrix(op.inputs[2])
    place = reach.axis - 1
    if blocks is None or pads is None:
        return Unlocated(op.type)
    if place >= len(blocks):
        return reach
    moved = _shifted(values, op, reach, -pads[2 * place])
    return moved._replace(blocks=blocks[place]) if isinstance(moved, Located) else moved


def _from_blocks(values: GraphValues, op: Op, reach: Located) -> Reach:
    blocks, cuts = values.numbers(op.inputs[1]), values.matrix(op.inputs[2])
    place = reach.axis - 1
    if blocks is None or cuts is None:
        return Unlocated(op.type)
    if place >= len(blocks):
        return reach
    if blocks[place] != reach.blocks:
        return Unlocated(op.type)
    return _shifted(values, op, reach._replace(blocks=1), cuts[2 * place])


def _depth_to_space(values: GraphValues, op: Op, reach: Located) -> Reach:
    return _of_blocks(values, op, reach, lambda field, size: field.repeated(size))


def _space_to_depth(values: GraphValues, op: Op, reach: Located) -> Reach:
    return _of_blocks(values, op, reach, lambda field, size: field.window(size, size, 0))


def _of_blocks(
    values: GraphValues, op: Op, reach: Located, change: Callable[[Field, int], Field]
) -> Reach:
    first = 2 if op.attrs.get("data_format") == "NCHW" else 1
    reach = reach.spread()
    if reach.inner != 1:
        return Unlocated(op.type)
    if reach.axis not in (first, first + 1):
        return Whole()
    field = change(reach.field, int(str(op.attrs["block_size"])))
    return reach._replace(field=field, size=values.size(op, reach.axis))


def _reshaped(values: GraphValues, op: Op, reach: Located) -> Reach:
    before, after = values.graph.spec(op.inputs[0]).shape, op.outputs[0].shape
    moved = None if before is None or after is None else reshaped(reach, before, after)
    return Unlocated(op.type) if moved is None else moved


def _shifted(values: GraphValues, op: Op, reach: Located, start: int, step: int = 1) -> Reach:
    """Return a reach whose positions begin at `start` and skip `step`."""
    reach, size = reach.spread(), values.size(op, reach.axis)
    if reach.inner != 1:
        return Unlocated(op.type)
    return reach._replace(field=reach.field.window(1, step, -start), size=size)


# Ops that change the place of an axis or its intervals, with the function that says how.
CHANGES: dict[str, Callable[[GraphValues, Op, Located], Reach | None]] = {
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "All", "Any"), _reduced),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Transpose": _transposed,
    "ExpandDims": _expanded,
    "Squeeze": _squeezed,
    "ConcatV2": _stacked,
    "Pack": _stacked,
    "Unpack": _without_axis,
    "Split": _split,
    "SplitV": _split,
    "Pad": _padded,
    "PadV2": _padded,
    "MirrorPad": _padded,
    "StridedSlice": _sliced,
    "Tile": _tiled,
    "ResizeNearestNeighbor": _resized,
    "ResizeBilinear": _resized,
    "SpaceToBatchND": _to_blocks,
    "BatchToSpaceND": _from_blocks,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Reshape": _reshaped,
}
