"""A small model without layers: recorded as tests/runs/own_model.db."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def small() -> Callable[[Any], Any]:
    """A convolution whose two halves of rows are concatenated side by side."""
    import tensorflow as tf

    kernel = tf.Variable(tf.random.stateless_normal([3, 3, 3, 8], [0, 1]), name="kernel")
    weights = tf.Variable(tf.random.stateless_normal([16, 10], [0, 2]), name="weights")

    def model(images: Any) -> Any:
        with _scope("stem"):
            features = tf.nn.relu(tf.nn.conv2d(images, kernel, strides=2, padding="SAME"))
        with _scope("head"):
            upper, lower = tf.split(features, 2, axis=1)
            pooled = tf.reduce_mean(tf.concat([upper, lower], axis=3), [1, 2])
            return tf.matmul(pooled, weights)

    return model


def _scope(name: str) -> Any:
    """A scope of the graph, which is no layer."""
    import tensorflow as tf

    return tf.compat.v1.get_default_graph().name_scope(name)
