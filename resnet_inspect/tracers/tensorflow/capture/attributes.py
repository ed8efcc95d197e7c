"""Converts attributes of TensorFlow's node definitions into plain values."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from resnet_inspect.graph import Op
from resnet_inspect.graph.nodes import Attr

MAX_LITERAL = 64


def plain_attributes(node: Any) -> dict[str, Attr]:
    """Return the attributes of a NodeDef as plain values, without private ones (`_…`).

    A type becomes its NumPy name, a function its name, and a shape its list of sizes, with -1 for
    an unknown size. A numeric constant becomes its elements in row-major order. Constants of more
    than `MAX_LITERAL` elements are left out.
    """
    named = ((name, _plain(node.attr[name])) for name in sorted(node.attr) if name[0] != "_")
    return {name: value for name, value in named if value is not None}


def called_functions(ops: Iterable[Op], library: Container[str]) -> set[str]:
    """Return the functions of `library` that attributes of `ops` refer to."""
    called: set[str] = set()
    for op in ops:
        for value in op.attrs.values():
            names = value if isinstance(value, list) else [value]
            called |= {name for name in names if isinstance(name, str) and name in library}
    return called


def _plain(value: Any) -> Attr | None:
    kind = value.WhichOneof("value")
    if kind in ("b", "i", "f"):
        return getattr(value, kind)  # type: ignore[no-any-return]
    if kind == "s":
        return str(value.s.decode(errors="replace"))
    if kind == "type":
        return str(tf.as_dtype(value.type).name)
    if kind == "shape":
        return None if value.shape.unknown_rank else [int(dim.size) for dim in value.shape.dim]
    if kind == "func":
        return str(value.func.name)
    if kind == "tensor":
        return _literal(value.tensor)
    if kind == "list":
        return _plain_list(value.list)
    return None


def _plain_list(values: Any) -> Attr | None:
    if values.s:
        return [item.decode(errors="replace") for item in values.s]
    if values.type:
        return [tf.as_dtype(item).name for item in values.type]
    if values.func:
        return [item.name for item in values.func]
    if values.b:
        return list(values.b)
    if values.f:
        return list(values.f)
    return list(values.i) or None


def _literal(tensor: Any) -> Attr | None:
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if np.prod(sizes, dtype=np.int64) > MAX_LITERAL:
        return None
    array = tf.make_ndarray(tensor)
    if array.dtype.kind not in "biuf" or not array.size:
        return None
    elements = array.reshape(-1).tolist()
    return elements if array.ndim else elements[0]  # type: ignore[no-any-return]
