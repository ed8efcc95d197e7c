"""A small model with control dependencies and a shared variable, unlike the tutorial's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def ordered() -> Callable[[Any], Any]:
    """A kernel that two scopes read, and a sum that waits for a check and for a counter."""
    kernel = tf.Variable(tf.fill([4, 4], 0.5), name="shared")
    seen = tf.Variable(0.0, trainable=False, name="seen")

    def model(x: Any) -> Any:
        with _scope("first"):
            left = tf.nn.relu(tf.matmul(x, kernel))
        with _scope("second"):
            right = tf.matmul(left, kernel)
        with _scope("guard"):
            check = tf.debugging.assert_all_finite(left, "left is finite")
            counted = seen.assign_add(1.0)
        with _scope("joined"), tf.control_dependencies([check, counted]):
            return tf.add(left, right)

    return model


def _scope(name: str) -> Any:
    """A scope of the graph, which is no layer."""
    return tf.compat.v1.get_default_graph().name_scope(name)
