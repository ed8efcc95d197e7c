"""Records values of a crash: shapes, types and small numbers, never the data."""

from __future__ import annotations

import re
import sys
from collections import UserDict
from collections.abc import Iterator
from itertools import islice
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from resnet_inspect import paths
from resnet_inspect.graph.crash import Value, ValueKind
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.tensors import NodeRecorder, shape_of

MOST_ITEMS = 16
MOST_TEXT = 120
MOST_INTEGERS = 64  # in a list that is recorded as text
MOST_SCANNED = 20_000_000  # elements of an integer array whose range is computed
MOST_DEPTH = 3
MOST_VALUES = 1500  # of a crash; of further values only the types are recorded
# Names of values whose text is not recorded.
SECRET = re.compile(r"secret|token|passw|credential|api_?key|auth|private", re.IGNORECASE)
PACKAGE = "resnet_inspect."


class ValueRecorder:
    """Converts objects of a crash; tensors and layers are numbered by the other recorders."""

    def __init__(self, nodes: NodeRecorder, layers: LayerRecorder) -> None:
        self._nodes = nodes
        self._layers = layers
        self._count = 0

    def __call__(self, value: Any, name: str = "", depth: int = 0) -> Value:
        """Return the record of a value; an object that cannot be read has only its type.

        The text of a value whose `name` says that it is a secret is not recorded.
        """
        self._count += 1
        if self._count > MOST_VALUES:
            return Value(ValueKind.OBJECT, type(value).__name__)
        try:
            return self._of(value, name, depth)
        except Exception:
            return Value(ValueKind.OBJECT, type(value).__name__)

    def _of(self, value: Any, name: str, depth: int) -> Value:  # noqa: PLR0912 - one a kind
        kind = type(value).__name__
        if value is None:
            return Value(ValueKind.NONE, kind)
        if isinstance(value, bool | int | float | np.generic):
            return Value(ValueKind.NUMBER, kind, text=str(value)[:MOST_TEXT])
        if isinstance(value, str | bytes):
            text = "" if SECRET.search(name) else _without_home(repr(value[:MOST_TEXT]))
            return Value(ValueKind.TEXT, kind, text=text[:MOST_TEXT])
        if isinstance(value, keras.Layer | keras.Operation):
            return Value(ValueKind.LAYER, kind, layer=self._layers.number(value))
        if isinstance(value, keras.Variable | tf.Variable):
            return self._variable(value, kind)
        if isinstance(value, keras.KerasTensor | tf.Tensor):
            return self._tensor(value, kind)
        if isinstance(value, tf.data.Dataset):
            spec = self(value.element_spec, depth=depth)
            return Value(ValueKind.DATASET, kind, items=spec.items or {"0": spec})
        if isinstance(value, tf.TypeSpec):
            dtype = getattr(getattr(value, "dtype", None), "name", "")
            return Value(ValueKind.TENSOR, kind, shape_of(value), dtype)
        if isinstance(value, tf.TensorShape | tf.DType):
            return Value(ValueKind.OBJECT, kind, text=str(value)[:MOST_TEXT])
        if isinstance(value, np.ndarray) or _is_pandas(value):
            return self._array(value, kind)
        if isinstance(value, UserDict):
            return self._items(value.data, kind, depth)
        if isinstance(value, dict | list | tuple | set | frozenset):  # others may load data
            return self._items(value, kind, depth)
        if callable(value):
            return Value(ValueKind.FUNCTION, kind, text=str(getattr(value, "__name__", "")))
        if getattr(value, "shape", None) is not None:
            return Value(ValueKind.ARRAY, kind, shape_of(value), str(getattr(value, "dtype", "")))
        return Value(ValueKind.OBJECT, kind)

    def _variable(self, value: Any, kind: str) -> Value:
        number = self._nodes.of_variable(value)
        dtype = value.dtype if isinstance(value.dtype, str) else value.dtype.base_dtype.name
        name = str(getattr(value, "path", "") or value.name).removesuffix(":0")
        return Value(ValueKind.VARIABLE, kind, shape_of(value), dtype, name, node=number)

    def _tensor(self, value: Any, kind: str) -> Value:
        dtype = value.dtype if isinstance(value.dtype, str) else value.dtype.base_dtype.name
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
        of_mapping = isinstance(value, dict)
        shape = _shape_of_lists(value) if isinstance(value, list | tuple) and value else None
        text = ""
        if not of_mapping and len(value) <= MOST_INTEGERS:
            integers = all(type(item) is int for item in value)
            text = repr(value)[:MOST_TEXT] if integers else ""
        items: dict[str, Value] = {}
        if depth < MOST_DEPTH and not (shape and len(value) > MOST_ITEMS):
            pairs = value.items() if of_mapping else enumerate(value)
            for key, item in islice(_foreign(pairs), MOST_ITEMS):
                name = self._key(key)
                items[name] = self(item, name, depth + 1)
        return Value(ValueKind.ITEMS, kind, shape, text=text, items=items)

    def _key(self, key: Any) -> str:
        """Return a key as text: of a tensor, such as a placeholder, the name of its op."""
        if isinstance(key, tf.Tensor):
            self._nodes.number(key)
            return str(key.name).removesuffix(":0")
        return _without_home(str(key)[:MOST_TEXT])


def _foreign(pairs: Any) -> Iterator[tuple[Any, Any]]:
    """Yield pairs whose value is not an object of this package, such as an added callback."""
    for key, value in pairs:
        if not type(value).__module__.startswith(PACKAGE):
            yield key, value


def _without_home(text: str) -> str:
    home = paths.home()
    return text if home in (None, "/") else text.replace(str(home), "~")


def _is_pandas(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series)


def _shape_of_lists(value: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers, judged by their first elements."""
    if len(value) <= MOST_ITEMS and any(getattr(item, "ndim", 0) for item in value):
        return None  # several arrays, such as those of a model with several inputs
    shape: list[int] = []
    while isinstance(value, list | tuple) and value and len(shape) < 8:
        shape.append(len(value))
        value = value[0]
    numeric = isinstance(value, bool | int | float | np.generic | np.ndarray)
    inner = tuple(value.shape) if isinstance(value, np.ndarray) else ()
    return (*shape, *inner) if numeric else None
