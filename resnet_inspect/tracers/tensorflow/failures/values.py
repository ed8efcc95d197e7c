"""Records values of a crash: shapes, types and small numbers, never the data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from resnet_inspect.graph.crash import Value, ValueKind
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.tensors import NodeRecorder, shape_of

MOST_ITEMS = 16
MOST_TEXT = 120
MOST_SCANNED = 20_000_000  # elements of an integer array whose range is computed
MOST_DEPTH = 3


class ValueRecorder:
    """Converts objects of a crash; tensors and layers are numbered by the other recorders."""

    def __init__(self, nodes: NodeRecorder, layers: LayerRecorder) -> None:
        self._nodes = nodes
        self._layers = layers

    def __call__(self, value: Any, depth: int = 0) -> Value:
        """Return the record of a value; an object that cannot be read has only its type."""
        try:
            return self._of(value, depth)
        except Exception:
            return Value(ValueKind.OBJECT, type(value).__name__)

    def _of(self, value: Any, depth: int) -> Value:  # noqa: PLR0912 - one branch a kind
        kind = type(value).__name__
        if value is None:
            return Value(ValueKind.NONE, kind)
        if isinstance(value, bool | int | float | np.generic):
            return Value(ValueKind.NUMBER, kind, text=str(value)[:MOST_TEXT])
        if isinstance(value, str | bytes):
            return Value(ValueKind.TEXT, kind, text=repr(value)[:MOST_TEXT])
        if isinstance(value, keras.Layer | keras.Operation):
            return Value(ValueKind.LAYER, kind, layer=self._layers.number(value))
        if isinstance(value, keras.Variable | tf.Variable):
            dtype = getattr(value.dtype, "name", value.dtype)
            node = -1 if tf.executing_eagerly() else self._nodes.number(_read(value))
            return Value(
                ValueKind.VARIABLE, kind, shape_of(value), str(dtype), str(value.name), node=node
            )
        if isinstance(value, keras.KerasTensor | tf.Tensor):
            return self._tensor(value, kind)
        if isinstance(value, tf.data.Dataset):
            spec = self(value.element_spec, depth)
            items = spec.items or {"0": spec}
            return Value(ValueKind.DATASET, kind, items=items)
        if isinstance(value, tf.TypeSpec):
            dtype = getattr(getattr(value, "dtype", None), "name", "")
            return Value(ValueKind.TENSOR, kind, shape_of(value), dtype)
        if isinstance(value, tf.TensorShape | tf.DType):
            return Value(ValueKind.OBJECT, kind, text=str(value))
        if isinstance(value, np.ndarray) or _is_pandas(value):
            return self._array(value, kind)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._items(value, kind, depth)
        if callable(value):
            return Value(ValueKind.FUNCTION, kind, text=str(getattr(value, "__name__", "")))
        if getattr(value, "shape", None) is not None:
            return Value(ValueKind.ARRAY, kind, shape_of(value), str(getattr(value, "dtype", "")))
        return Value(ValueKind.OBJECT, kind)

    def _tensor(self, value: Any, kind: str) -> Value:
        dtype = str(getattr(value.dtype, "name", value.dtype))
        if hasattr(value, "numpy"):
            return self._array(value, kind, dtype)
        number = self._nodes.number(value)
        return Value(ValueKind.TENSOR, kind, shape_of(value), dtype, node=number)

    def _array(self, value: Any, kind: str, dtype: str = "") -> Value:
        text, low, high = "", None, None
        dtype = dtype or str(getattr(value, "dtype", ""))
        shape = shape_of(value)
        count = prod(size or 0 for size in shape or ())
        if dtype.startswith(("int", "uint")) and 0 < count <= MOST_SCANNED:
            array = np.asarray(value)
            low, high = int(array.min()), int(array.max())
            text = str(array.tolist()) if count <= MOST_ITEMS else ""
        return Value(ValueKind.ARRAY, kind, shape, dtype, text, low, high)

    def _items(self, value: Any, kind: str, depth: int) -> Value:
        pairs = list(value.items() if isinstance(value, Mapping) else enumerate(value))
        text = repr(value)[:MOST_TEXT] if all(type(item) is int for _, item in pairs[:64]) else ""
        shape = None
        if isinstance(value, list | tuple) and pairs:
            shape = _shape_of_lists(value)
        items: dict[str, Value] = {}
        if depth < MOST_DEPTH and not (shape and len(pairs) > MOST_ITEMS):
            items = {_key(key): self(item, depth + 1) for key, item in pairs[:MOST_ITEMS]}
        return Value(ValueKind.ITEMS, kind, shape, text=text, items=items)


def _read(variable: Any) -> Any:
    """Return a tensor of the graph that has the value of a variable, without a new op."""
    inner = getattr(variable, "_value", variable)
    return getattr(inner, "_graph_element", None)


def _is_pandas(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series)


def _shape_of_lists(value: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers, judged by their first elements."""
    shape: list[int] = []
    while isinstance(value, list | tuple) and value and len(shape) < 8:
        shape.append(len(value))
        value = value[0]
    numeric = isinstance(value, bool | int | float | np.generic | np.ndarray)
    inner = tuple(value.shape) if isinstance(value, np.ndarray) else ()
    return (*shape, *inner) if numeric else None


def _key(key: Any) -> str:
    """Return a key as a text: a tensor, as in `feed_dict`, by its name."""
    symbolic = isinstance(key, tf.Tensor) and not hasattr(key, "numpy")
    return str(key.name if symbolic else key)
