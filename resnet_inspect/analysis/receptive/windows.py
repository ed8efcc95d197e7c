"""Windows of convolutions and pooling along each of their axes, of any number of axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from resnet_inspect.analysis.sizes.geometry import same_padding
from resnet_inspect.graph import Graph, Op

# The position of the kernel among the inputs, None for pooling.
KERNELS: dict[str, int | None] = {
    "Conv2D": 1,
    "Conv3D": 1,
    "DepthwiseConv2dNative": 1,
    "MaxPool": None,
    "MaxPool3D": None,
    "AvgPool": None,
    "AvgPool3D": None,
    "Conv2DBackpropInput": 1,
    "Conv3DBackpropInputV2": 1,
    "DepthwiseConv2dNativeBackpropInput": 1,
}
TRANSPOSED = ("Conv2DBackpropInput", "Conv3DBackpropInputV2", "DepthwiseConv2dNativeBackpropInput")


class AxisWindow(NamedTuple):
    """A window along one axis.

    Attributes:
        axis: the axis of the input and of the output.
        reach: positions from the first to the last one that a window reads.
        stride: distance between windows.
        before: padded positions before the first one; None if unknown.
    """

    axis: int
    reach: int
    stride: int
    before: int | None


def axis_windows(graph: Graph, op: Op, blocks: int = 1) -> Iterator[AxisWindow]:
    """Yield the window of an op of `KERNELS` along each of its axes.

    `blocks` multiplies dilations, for ops whose input was split into blocks. An axis with an
    unknown kernel is left out.
    """
    place = KERNELS[op.type]
    rank = len(graph.spec(op.inputs[-1] if op.type in TRANSPOSED else op.inputs[0]).shape or ())
    first = 2 if str(op.attrs.get("data_format", "")).startswith("NC") else 1
    for number, axis in enumerate(range(first, first + rank - 2)):
        if place is None:
            kernel: int | None = _setting(op, "ksize", axis)
        else:
            shape = graph.spec(op.inputs[place]).shape
            kernel = shape[number] if shape else None
        if kernel is None:
            continue
        stride = _setting(op, "strides", axis)
        reach = (kernel - 1) * _setting(op, "dilations", axis) * blocks + 1
        yield AxisWindow(axis, reach, stride, _before(graph, op, axis, reach, stride))


def _setting(op: Op, name: str, axis: int) -> int:
    values = cast("list[int]", op.attrs.get(name) or ())
    return values[axis] if axis < len(values) else 1


def _before(graph: Graph, op: Op, axis: int, reach: int, stride: int) -> int | None:
    """Return the padding before an axis. A transposed convolution has that of its output."""
    kind = op.attrs.get("padding")
    if kind == "EXPLICIT":
        return cast("list[int]", op.attrs["explicit_paddings"])[2 * axis]
    if kind != "SAME":
        return 0
    if stride == 1:
        return (reach - 1) // 2
    shape = op.outputs[0].shape if op.type in TRANSPOSED else graph.spec(op.inputs[0]).shape
    size = shape[axis] if shape else None
    return None if size is None else same_padding(size, reach, stride)[0]
