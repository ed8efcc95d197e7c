"""Hands over what a step is fed, from inside its graph; see `stats.BatchPart`.

What is taken has a size known beforehand and is assigned to variables, as `in_branch` does, in its
branch.
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
    """Taps of the parts of a batch by name. Make it where variables may be made."""

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
                ResourceVariable(tf.zeros([_room(part)], tf.float64), trainable=False)
                for part in self._parts.values()
            ]

    def assign(self) -> None:
        """Add the ops that keep what a batch holds."""
        if self._parts:
            taken = [_taken(part) for part in self._parts.values()]
            self._sizes.assign(tf.stack([sizes for sizes, _ in taken]))
            for place, (_, numbers) in zip(self._numbers, taken, strict=True):
                place.assign(numbers)

    def read(self) -> dict[str, BatchPart]:
        """What was assigned last."""
        made = {}
        rows = zip(value_of(self._sizes).tolist(), self._numbers, strict=True)
        for name, ((examples, features), taken) in zip(self._parts, rows, strict=True):
            stride, kept = looked_at(examples, features)
            some = -(-features // stride)
            numbers = value_of(taken)[: kept * some].reshape(kept, some)
            made[name] = BatchPart.of_rows(numbers, examples, features)
        return made


def _room(part: Tensor) -> int:
    """How many elements are taken at most."""
    elements = part.shape.num_elements()
    return MOST if elements is None else min(elements, MOST)


def _taken(part: Tensor) -> tuple[Tensor, Tensor]:
    """Examples and features, int64 [2], and the elements that are looked at, float64."""
    if part.shape.is_fully_defined():
        examples = int(part.shape[0])
        features = part.shape.num_elements() // max(examples, 1)
        stride, kept = looked_at(examples, features)
    else:
        examples = tf.shape(part, tf.int64)[0]
        features = tf.size(part, tf.int64) // tf.maximum(examples, 1)
        wanted = tf.maximum(ELEMENTS // tf.maximum(examples, 1), FEWEST)
        stride = tf.maximum((features + wanted - 1) // wanted, 1)
        some = (features + stride - 1) // stride
        kept = tf.minimum(examples, MOST // tf.maximum(some, 1))
    rows = tf.reshape(part, tf.stack([examples, features]))
    flat = tf.reshape(tf.cast(rows[:kept, ::stride], tf.float64), [-1])
    room = _room(part)
    if flat.shape.num_elements() != room:
        flat = tf.ensure_shape(tf.pad(flat, [[0, room - tf.size(flat)]]), [room])
    return tf.stack([tf.cast(one, tf.int64) for one in (examples, features)]), flat
