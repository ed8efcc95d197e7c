"""Kernel, stride and padding of single ops."""

from __future__ import annotations

from typing import cast

import msgspec

from resnet_inspect.graph import Graph, Op

Pair = tuple[int, int]

# Ops with a sliding window, and the position of their kernel input (None for pooling).
WINDOWED: dict[str, int | None] = {
    "Conv2D": 1,
    "DepthwiseConv2dNative": 1,
    "MaxPool": None,
    "AvgPool": None,
}


class Window(msgspec.Struct, frozen=True):
    """A sliding window: sizes as (height, width), padding in pixels as (top, bottom, left, right).

    `padding` is None where the size of the input is unknown.
    """

    kernel: Pair
    stride: Pair
    padding: tuple[int, int, int, int] | None


def window(graph: Graph, op: Op) -> Window | None:
    """Return the window of a convolution or pooling op; None for other ops or an unknown kernel."""
    if op.type not in WINDOWED:
        return None
    place = WINDOWED[op.type]
    axes = (2, 3) if op.attrs.get("data_format") == "NCHW" else (1, 2)
    if place is None:
        kernel = _pair(op, "ksize", axes)
    else:
        shape = graph.spec(op.inputs[place]).shape
        if shape is None or shape[0] is None or shape[1] is None:
            return None
        kernel = (shape[0], shape[1])
    stride = _pair(op, "strides", axes)
    dilation = _pair(op, "dilations", axes)
    reach = tuple((size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True))
    return Window(kernel, stride, _padding(graph, op, axes, (reach[0], reach[1]), stride))


def same_padding(size: int, reach: int, stride: int) -> Pair:
    """Return the pixels that SAME padding adds before and after. An odd pixel is added after."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def _pair(op: Op, name: str, axes: Pair) -> Pair:
    values = cast("list[int]", op.attrs.get(name, [1, 1, 1, 1]))
    return values[axes[0]], values[axes[1]]


def _padding(
    graph: Graph, op: Op, axes: Pair, reach: Pair, stride: Pair
) -> tuple[int, int, int, int] | None:
    kind = op.attrs.get("padding")
    if kind == "EXPLICIT":
        pads = cast("list[int]", op.attrs["explicit_paddings"])
        first, second = 2 * axes[0], 2 * axes[1]
        return pads[first], pads[first + 1], pads[second], pads[second + 1]
    if kind != "SAME":
        return 0, 0, 0, 0
    shape = graph.spec(op.inputs[0]).shape
    if shape is None or shape[axes[0]] is None or shape[axes[1]] is None:
        return None
    sizes = cast("tuple[int, ...]", shape)
    rows = same_padding(sizes[axes[0]], reach[0], stride[0])
    columns = same_padding(sizes[axes[1]], reach[1], stride[1])
    return *rows, *columns
