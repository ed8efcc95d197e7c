"""Losses and custom training steps for the scripts of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from bench.verdicts.own_losses import OWN_LOSSES


class OwnSquares(keras.losses.Loss):  # type: ignore[misc]
    """Mean squared error written by hand: it does not adapt the shapes."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels and predictions of any shape."""
        return tf.reduce_mean(tf.square(tf.cast(y_true, tf.float32) - y_pred))


class Contrastive(keras.losses.Loss):  # type: ignore[misc]
    """Contrastive loss with margin 1: pulls equal pairs together and pushes others apart."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels, 1 for equal pairs; distances."""
        alike = tf.cast(y_true, tf.float32)
        apart = tf.square(tf.maximum(1.0 - y_pred, 0.0))
        return tf.reduce_mean(alike * tf.square(y_pred) + (1.0 - alike) * apart)


class OwnEntropy(keras.losses.Loss):  # type: ignore[misc]
    """Cross entropy of probabilities, written by hand."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One-hot labels; probabilities."""
        return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), axis=-1))


class OfLogits(keras.losses.Loss):  # type: ignore[misc]
    """TensorFlow's own op for class numbers.

    Keras' loss would skip a softmax before it and use its logits.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Class numbers; logits."""
        labels = tf.reshape(tf.cast(y_true, tf.int32), [-1])
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, y_pred))


class OfBinaryLogits(keras.losses.Loss):  # type: ignore[misc]
    """TensorFlow's own op for binary labels."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """0 or 1; logits."""
        wanted = tf.cast(y_true, tf.float32)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, y_pred))


class SignSquares(keras.losses.Loss):  # type: ignore[misc]
    """Squared difference of signs, whose gradient is 0."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels −1 and 1; predictions."""
        return tf.reduce_mean(tf.square(tf.cast(y_true, tf.float32) - tf.sign(y_pred)))


LOSSES: dict[str, Callable[[bool], Any]] = {
    "sparse": lambda logits: keras.losses.SparseCategoricalCrossentropy(from_logits=logits),
    "categorical": lambda logits: keras.losses.CategoricalCrossentropy(from_logits=logits),
    "binary": lambda logits: keras.losses.BinaryCrossentropy(from_logits=logits),
    "mse": lambda _: keras.losses.MeanSquaredError(),
    "mae": lambda _: keras.losses.MeanAbsoluteError(),
    "huber": lambda _: keras.losses.Huber(),
    "hinge": lambda _: keras.losses.Hinge(),
    "own squares": lambda _: OwnSquares(),
    "signs": lambda _: SignSquares(),
    "contrastive": lambda _: Contrastive(),
    "own entropy": lambda _: OwnEntropy(),
    "of logits": lambda _: OfLogits(),
    "of binary logits": lambda _: OfBinaryLogits(),
    **OWN_LOSSES,
}


class OwnStep(keras.Model):  # type: ignore[misc]
    """A model with a custom training step."""

    applied = True

    def train_step(self, data: Any) -> Any:
        """Compute loss and gradients; update the weights if `applied`."""
        x, y = data
        with tf.GradientTape() as tape:
            said = self(x, training=True)
            loss = self.compute_loss(x, y, said)
        gradients = tape.gradient(loss, self.trainable_variables)
        if self.applied:
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            metric.update_state(*((loss,) if metric.name == "loss" else (y, said)))
        return {metric.name: metric.result() for metric in self.metrics}


class Forgetful(OwnStep):
    """A model whose training step forgets the update."""

    applied = False


def stepping(how: str, model: Any) -> Any:
    """Return the model with Keras' step (""), an "own" step or a step "without update"."""
    if not how:
        return model
    kinds = {"own": OwnStep, "without update": Forgetful}
    return kinds[how](model.inputs, model.outputs)
