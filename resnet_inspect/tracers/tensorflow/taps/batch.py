"""Looks at what a step is fed, from inside its graph; see `stats.BatchPart`.

What is found has a fixed size and is assigned to variables, as `in_branch` does, in its branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.stats import BatchPart
from resnet_inspect.stats.batch import CLASSES, EQUAL, FEATURES, GOLDEN, trimmed

Tensor = Any
# Fields of BatchPart: all but the last, the counts; those that are counts of something.
NUMBERS = len(BatchPart.__struct_fields__) - 1
WHOLE = ("examples", "features", "distinct", "constant", "odd")


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
            self._numbers = ResourceVariable(
                tf.zeros([count, NUMBERS], tf.float64), trainable=False
            )
            self._counts = ResourceVariable(tf.zeros([count, CLASSES], tf.float64), trainable=False)

    def assign(self) -> None:
        """Add the ops that keep what a batch holds."""
        if self._parts:
            found = [_facts(part) for part in self._parts.values()]
            self._numbers.assign(tf.stack([numbers for numbers, _ in found]))
            self._counts.assign(tf.stack([counts for _, counts in found]))

    def read(self) -> dict[str, BatchPart]:
        """What was assigned last."""
        made = {}
        rows = zip(self._numbers.numpy(), self._counts.numpy(), strict=True)
        for name, (row, counts) in zip(self._parts, rows, strict=True):
            told = dict(zip(BatchPart.__struct_fields__, row.tolist(), strict=False))
            held = told | {one: int(told[one]) for one in WHOLE} | {"whole": bool(told["whole"])}
            made[name] = BatchPart(**held, counts=trimmed(counts))
        return made


def _facts(part: Tensor) -> tuple[Tensor, Tensor]:
    """NUMBERS, and CLASSES counts: float64."""
    shape = tf.shape(part, tf.int64)
    examples = shape[0]
    features = tf.math.floordiv(tf.size(part, tf.int64), tf.maximum(examples, 1))
    stride = tf.maximum(tf.math.floordiv(features + FEATURES - 1, FEATURES), 1)
    rows = tf.cast(tf.reshape(part, [examples, features])[:, ::stride], tf.float64)
    fine = tf.math.is_finite(rows)
    held = tf.where(fine, rows, 0.0)
    count = tf.reduce_sum(tf.cast(fine, tf.float64))
    some = count > 0
    mean = tf.math.divide_no_nan(tf.reduce_sum(held), count)
    squares = tf.where(fine, tf.math.squared_difference(held, mean), 0.0)
    std = tf.sqrt(tf.math.divide_no_nan(tf.reduce_sum(squares), count))
    low = tf.where(some, tf.reduce_min(tf.where(fine, rows, tf.float64.max)), 0.0)
    high = tf.where(some, tf.reduce_max(tf.where(fine, rows, tf.float64.min)), 0.0)
    means, spreads = tf.reduce_mean(held, 0), tf.math.reduce_std(held, 0)
    moving = tf.reduce_max(held, 0) > tf.reduce_min(held, 0)
    moves = tf.reduce_any(moving)
    least = tf.where(moves, tf.reduce_min(tf.where(moving, spreads, tf.float64.max)), 0.0)
    most = tf.where(moves, tf.reduce_max(tf.where(moving, spreads, 0.0)), 0.0)
    whole = some & tf.reduce_all(~fine | (held == tf.round(held)))
    numbers = [
        examples,
        features,
        _distinct(held),
        tf.reduce_sum(tf.cast(~moving, tf.int64)),
        *(low, high, mean, std, tf.reduce_sum(tf.cast(~fine, tf.int64))),
        *(least, most, tf.reduce_max(tf.abs(means)), whole),
    ]
    sums = tf.reduce_sum(held[:, :CLASSES], 0)
    sums = tf.pad(sums, [[0, CLASSES - tf.size(sums)]])
    column = tf.reduce_sum(held, 1)  # of a part of one feature that feature itself
    ones = tf.one_hot(tf.cast(tf.clip_by_value(column, -1, CLASSES), tf.int32), CLASSES)
    counted = tf.where(whole, tf.reduce_sum(tf.cast(ones, tf.float64), 0), 0.0)
    counts = tf.where(features == 1, counted, tf.ensure_shape(sums, [CLASSES]))
    return tf.stack([tf.cast(one, tf.float64) for one in numbers]), counts


def _distinct(held: Tensor) -> Tensor:
    """How many examples differ, by weighted sums."""
    places = tf.cast(tf.range(1, tf.shape(held)[1] + 1), tf.float64)
    sums = tf.sort(tf.reduce_sum(held * (places * GOLDEN % 1 + 0.5), 1))
    step = EQUAL * tf.maximum(tf.reduce_max(tf.abs(sums)), 1e-30)
    more = tf.reduce_sum(tf.cast(sums[1:] - sums[:-1] > step, tf.int64))
    return more + tf.cast(tf.size(sums) > 0, tf.int64)
