"""Summaries of tensors, computed where the tensors are; nothing but the summaries leaves it.

`stats.TensorSummary.of` is the reference. The histogram is taken over the top bits of every
element; its non-finite bins tell whether the slower way, which leaves NaN and Inf out of the
moments, is needed. All taps sit in one conditional, so that an unrecorded step pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.stats import Sketch, TensorSummary, bins

Tensor = Any

MOMENTS = ("count", "nan", "posinf", "neginf", "zeros", "min", "max", "mean", "variance")
_VECTOR = [tf.TensorSpec([None], tf.float32)]
_INFINITE_CODES = [
    code
    for code, place in enumerate(bins.bin_of_code())
    if not bins.LOWEST <= place <= bins.HIGHEST
]


def summarize(tensors: Sequence[Tensor], record: Tensor) -> tuple[Tensor, Tensor]:
    """Add taps on float tensors: counts [taps, 4096] of int32, moments [taps, 9] of float64.

    `record` is a scalar bool; where it is false both come back with no rows.
    """
    return tf.cond(  # type: ignore[no-any-return]
        record,
        lambda: _measure([tf.reshape(tf.cast(tensor, tf.float32), [-1]) for tensor in tensors]),
        lambda: (
            tf.zeros([0, bins.CODES], tf.int32),
            tf.zeros([0, len(MOMENTS)], tf.float64),
        ),
        name="taps",
    )


def read(counts: NDArray[np.int32], moments: NDArray[np.float64]) -> list[TensorSummary]:
    """The summaries that rows of counts and moments stand for."""
    return [
        _summary(Sketch.from_codes(row), dict(zip(MOMENTS, values, strict=True)))
        for row, values in zip(counts, moments.tolist(), strict=True)
    ]


def _summary(sketch: Sketch, row: dict[str, float]) -> TensorSummary:
    numbers = {name: int(row[name]) for name in MOMENTS[:5]}
    if numbers["count"] == numbers["nan"] + numbers["posinf"] + numbers["neginf"]:
        return TensorSummary(**numbers, min=None, max=None, mean=None, std=None, sketch=sketch)
    return TensorSummary(
        **numbers,
        min=row["min"],
        max=row["max"],
        mean=row["mean"],
        std=row["variance"] ** 0.5,
        sketch=sketch,
    )


def _measure(vectors: list[Tensor]) -> tuple[Tensor, Tensor]:
    counts = tf.stack([_code_counts(vector) for vector in vectors])
    infinite = tf.reduce_sum(tf.gather(counts, _INFINITE_CODES, axis=1))
    moments = tf.cond(
        tf.equal(infinite, 0),
        lambda: tf.stack([_finite_moments(vector) for vector in vectors]),
        lambda: tf.stack([_careful_moments(vector) for vector in vectors]),
    )
    return counts, moments


@tf.function(input_signature=_VECTOR, autograph=False)  # type: ignore[untyped-decorator]
def _code_counts(x: Tensor) -> Tensor:
    """Elements per code of `stats.bins`, shape [4096], int32."""
    codes = tf.bitwise.right_shift(tf.bitcast(x, tf.uint32), tf.constant(bins.SHIFT, tf.uint32))
    return tf.raw_ops.DenseBincount(
        input=tf.bitcast(codes, tf.int32), size=bins.CODES, weights=tf.zeros([0], tf.int32)
    )


@tf.function(input_signature=_VECTOR, autograph=False)  # type: ignore[untyped-decorator]
def _finite_moments(x: Tensor) -> Tensor:
    """MOMENTS of finite numbers, shape [9]."""
    none = tf.constant(0, tf.int64)
    return tf.concat([_counts(x, none, none, none), _moments(x)], axis=0)


@tf.function(input_signature=_VECTOR, autograph=False)  # type: ignore[untyped-decorator]
def _careful_moments(x: Tensor) -> Tensor:
    """MOMENTS, shape [9], of the finite ones among `x`, with the others counted."""
    masks = tf.math.is_nan(x), tf.equal(x, np.inf), tf.equal(x, -np.inf)
    counts = _counts(x, *(tf.math.count_nonzero(mask) for mask in masks))
    return tf.concat([counts, _moments(tf.boolean_mask(x, tf.math.is_finite(x)))], axis=0)


def _counts(x: Tensor, nan: Tensor, posinf: Tensor, neginf: Tensor) -> Tensor:
    """The first five of MOMENTS."""
    zeros = tf.math.count_nonzero(tf.equal(x, 0.0))
    return tf.cast(tf.stack([tf.size(x, tf.int64), nan, posinf, neginf, zeros]), tf.float64)


def _moments(finite: Tensor) -> Tensor:
    """The last four of MOMENTS: sums in float64, the variance in a second pass."""
    wide = tf.cast(finite, tf.float64)
    mean = tf.reduce_mean(wide)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean))
    ends = [tf.reduce_min(finite), tf.reduce_max(finite)]
    return tf.stack([*(tf.cast(end, tf.float64) for end in ends), mean, variance])
