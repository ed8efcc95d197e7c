"""Records the batch of a step from inside its graph; see `stats.BatchPart`.

The recorded elements have a size that is known beforehand. They are assigned to variables in the
branch of `in_branch`.
"""

from __future__ import annotations

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
        count = len(self._parts)
        with tf.init_scope():
            self._sizes = ResourceVariable(tf.zeros([count, 2], tf.int64), trainable=False)
            self._numbers = [
                ResourceVariable(tf.zeros([_most_elements(part)], tf.float64), trainable=False)
                for part in self._parts.values()
            ]

    def assign(self) -> None:
        """Add the ops that assign the elements of a batch to variables."""
        if self._parts:
            taken = [_taken(part) for part in self._parts.values()]
            self._sizes.assign(tf.stack([sizes for sizes, _ in taken]))
            for variable, (_, numbers) in zip(self._numbers, taken, strict=True):
                variable.assign(numbers)

    def read(self) -> dict[str, BatchPart]:
        """The parts that were assigned last, by name."""
        parts = {}
        rows = zip(value_of(self._sizes).tolist(), self._numbers, strict=True)
        for name, ((examples, features), variable) in zip(self._parts, rows, strict=True):
            stride, kept = looked_at(examples, features)
            width = -(-features // stride)
            numbers = value_of(variable)[: kept * width].reshape(kept, width)
            parts[name] = BatchPart.of_rows(numbers, examples, features)
        return parts


def _most_elements(part: Tensor) -> int:
    """The largest number of elements to record."""
    elements = part.shape.num_elements()
    return MOST if elements is None else min(elements, MOST)


def _taken(part: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of examples and features, int64 [2], and the recorded elements, float64."""
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
    return tf.stack([tf.cast(count, tf.int64) for count in (examples, features)]), flat
