"""Custom losses of the fresh kinds; they do not adapt the shapes of labels and predictions.

Loads TensorFlow; only a process that trains imports this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


class Gaussian(keras.losses.Loss):  # type: ignore[misc]
    """Negative log-likelihood of a normal distribution."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels [count, 1]; means and log-variances [count, 2]."""
        mean, height = y_pred[:, :1], y_pred[:, 1:]
        off = tf.square(tf.cast(y_true, tf.float32) - mean)
        return tf.reduce_mean(off * tf.exp(-height) + height) / 2


class Pinball(keras.losses.Loss):  # type: ignore[misc]
    """Quantile loss of three predictions: the median and the 10 % and 90 % quantiles."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels [count, 1]; predictions [count, 3]."""
        shares = tf.constant([0.5, 0.1, 0.9])
        off = tf.cast(y_true, tf.float32) - y_pred
        return tf.reduce_mean(tf.maximum(shares * off, (shares - 1.0) * off))


class Dice(keras.losses.Loss):  # type: ignore[misc]
    """One minus Dice's coefficient of two masks, over the whole batch."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Masks of 0 and 1; probabilities of the same shape."""
        wanted = tf.cast(y_true, tf.float32)
        shared = tf.reduce_sum(wanted * y_pred)
        return 1.0 - (2.0 * shared + 1.0) / (tf.reduce_sum(wanted) + tf.reduce_sum(y_pred) + 1.0)


class OwnPoisson(keras.losses.Loss):  # type: ignore[misc]
    """Negative log-likelihood of a Poisson distribution, without constant terms."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Counts; means, both [count, 1]."""
        wanted = tf.cast(y_true, tf.float32)
        return tf.reduce_mean(y_pred - wanted * tf.math.log(y_pred + 1e-7))


class Margin(keras.losses.Loss):  # type: ignore[misc]
    """Triplet loss with margin 0.5: the negative must be farther away than the positive."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Ignored; distance to the positive minus distance to the negative."""
        del y_true
        return tf.reduce_mean(tf.maximum(y_pred + 0.5, 0.0))


OWN_LOSSES: dict[str, Callable[[bool], Any]] = {
    "smoothed": lambda logits: keras.losses.CategoricalCrossentropy(
        from_logits=logits, label_smoothing=0.1
    ),
    "poisson": lambda _: keras.losses.Poisson(),
    "own poisson": lambda _: OwnPoisson(),
    "gaussian": lambda _: Gaussian(),
    "pinball": lambda _: Pinball(),
    "dice": lambda _: Dice(),
    "margin": lambda _: Margin(),
}
