"""Replaces the initializers and regularizers of tf.contrib for TensorFlow 1 code.

The initializers draw the same values as TensorFlow 1.15. For other parts of tf.contrib, `old_api`
raises an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
MODES = ("FAN_IN", "FAN_OUT", "FAN_AVG")
# Factor of the variance in contrib, which compensates the truncation at two standard deviations.
WIDENING = 1.3

Initialize = Callable[..., Any]
Regularize = Callable[..., Any]


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = tf.float32,
) -> Initialize:
    """Return an initializer of variance `factor` / fan, truncated normal or uniform.

    Raises ValueError for an unknown mode, TypeError for a type that is not floating point.
    """
    if mode not in MODES:
        raise ValueError(f"Unknown mode {mode!r} [{', '.join(MODES)}]")
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")

    def initialize(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Any:
        del partition_info
        sizes = [int(size) for size in shape]
        field = math.prod(sizes[:-2])
        fan_in = float(field * (sizes[-2] if len(sizes) > 1 else (sizes or [1])[-1]))
        fan_out = float(field * (sizes or [1])[-1])
        fan = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / fan)
            return v1.random_uniform(sizes, -limit, limit, dtype, seed=seed)
        deviation = math.sqrt(WIDENING * factor / fan)
        return v1.truncated_normal(sizes, 0.0, deviation, dtype, seed=seed)

    return initialize


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = tf.float32
) -> Initialize:
    """Return an initializer of variance 2 / (fan in + fan out): Glorot & Bengio 2010."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


def l2_regularizer(scale: float, scope: str | None = None) -> Regularize:
    """Return a regularizer with the loss `scale` · Σ w² / 2, or no loss if `scale` is 0.

    Raises ValueError if `scale` is negative.
    """
    return _regularizer(scale, scope or "l2_regularizer", tf.nn.l2_loss)


def l1_regularizer(scale: float, scope: str | None = None) -> Regularize:
    """Return a regularizer with the loss `scale` · Σ |w|, or no loss if `scale` is 0.

    Raises ValueError if `scale` is negative.
    """
    return _regularizer(scale, scope or "l1_regularizer", lambda w: tf.reduce_sum(tf.abs(w)))


def _regularizer(scale: float, scope: str, measure: Callable[[Any], Any]) -> Regularize:
    if isinstance(scale, int) or scale < 0.0:
        raise ValueError(f"scale must be a float of at least 0, not {scale!r}")

    def regularize(weights: Any, name: str | None = None) -> Any:
        with v1.name_scope(name, scope, [weights]) as named:
            factor = tf.convert_to_tensor(scale, weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, measure(weights), name=named)

    return (lambda _, name=None: None) if scale == 0.0 else regularize  # noqa: ARG005


# The supported part of `tf.contrib.layers`.
LAYERS: dict[str, Any] = {
    "variance_scaling_initializer": variance_scaling_initializer,
    "xavier_initializer": xavier_initializer,
    "xavier_initializer_conv2d": xavier_initializer,
    "l1_regularizer": l1_regularizer,
    "l2_regularizer": l2_regularizer,
}
