"""Reads from ops what determines shapes: attributes and small constants."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf

from resnet_inspect.graph.crash import Setting

MOST_ELEMENTS = 16
SETTINGS = (
    "strides",
    "padding",
    "dilations",
    "data_format",
    "ksize",
    "transpose_a",
    "transpose_b",
    "adj_x",
    "adj_y",
    "axis",
    "squeeze_dims",
    "keep_dims",
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
    "equation",
    "num_split",
    "N",
    "batch_dims",
)


def constant_of(op: tf.Operation) -> str:
    """Return a small integer constant as Python writes it, "" for other ops."""
    if op.type != "Const" or op.outputs[0].dtype.base_dtype not in (tf.int32, tf.int64):
        return ""
    value = tf.get_static_value(op.outputs[0])
    small = value is not None and value.size <= MOST_ELEMENTS
    return str(value.tolist()) if small else ""


def settings_of(op: tf.Operation) -> Iterator[tuple[str, Setting]]:
    """Yield the attributes of an op that determine shapes."""
    for name in SETTINGS:
        try:
            value = op.get_attr(name)
        except ValueError:
            continue
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, list):
            value = tuple(value)
        if isinstance(value, bool | int | float | str | tuple):
            yield name, value
