"""Records the batch of a step from inside its graph; see `stats.BatchPart`.

The recorded elements have a size that is known beforehand. They are assigned to variables in the
branch of `in_branch`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.stats import BatchPart
from resnet_inspect.stats.batch import ELEMENTS, FEWEST, MOST, looked_at
from resnet_inspect.tracers.tensorflow.taps.in_branch import value_of

Tensor = Any


class BatchTaps:
    """Taps of the parts of a batch by name. Create it where variables may be created."""

    def __init__(self, parts: Mapping[str, Tensor]) -> None:
        self._parts = {
            name: part
            for name, part in parts.items()
            if part.shape.rank and (part.dtype.is_floating or part.dtype.is_integer)
        }
        self._rank = max((part.shape.rank for part in self._parts.values()), default=0)
        with tf.init_scope():
            shapes = tf.zeros([len(self._parts), self._rank], tf.int64)
            self._shapes = ResourceVariable(shapes, trainable=False)
            self._numbers = [
                ResourceVariable(tf.zeros([_most_elements(part)], tf.float64), trainable=False)
                for part in self._parts.values()
            ]

    def assign(self) -> None:
        """Add the ops that assign the elements of a batch to variables."""
        if self._parts:
            parts = self._parts.values()
            shapes = [tf.shape(part, tf.int64) for part in parts]
            padded = [tf.pad(shape, [[0, self._rank - shape.shape[0]]]) for shape in shapes]
            self._shapes.assign(tf.stack(padded))
            for variable, part in zip(self._numbers, parts, strict=True):
                variable.assign(_taken(part))

    def read(self) -> dict[str, BatchPart]:
        """The parts that were assigned last, by name."""
        parts = {}
        shapes = value_of(self._shapes).tolist()
        every = zip(self._parts.items(), shapes, self._numbers, strict=True)
        for (name, part), padded, variable in every:
            shape = tuple(padded[: part.shape.rank])
            features = math.prod(shape[1:])
            stride, kept = looked_at(shape[0], features)
            width = -(-features // stride)
            numbers = value_of(variable)[: kept * width].reshape(kept, width)
            parts[name] = BatchPart.of_rows(numbers, shape)
        return parts


def _most_elements(part: Tensor) -> int:
    """The largest number of elements to record."""
    elements = part.shape.num_elements()
    return MOST if elements is None else min(elements, MOST)


def _taken(part: Tensor) -> Tensor:
    """The recorded elements, float64."""
    if part.shape.is_fully_defined():
        examples = int(part.shape[0])
        features = part.shape.num_elements() // max(examples, 1)
        stride, kept = looked_at(examples, features)
    else:
        examples = tf.shape(part, tf.int64)[0]
        features = tf.size(part, tf.int64) // tf.maximum(examples, 1)
        wanted = tf.maximum(ELEMENTS // tf.maximum(examples, 1), FEWEST)
        stride = tf.maximum((features + wanted - 1) // wanted, 1)
        width = (features + stride - 1) // stride
        kept = tf.minimum(examples, MOST // tf.maximum(width, 1))
    rows = tf.reshape(part, tf.stack([examples, features]))
    flat = tf.reshape(tf.cast(rows[:kept, ::stride], tf.float64), [-1])
    size = _most_elements(part)
    if flat.shape.num_elements() != size:
        flat = tf.ensure_shape(tf.pad(flat, [[0, size - tf.size(flat)]]), [size])
    return flat
