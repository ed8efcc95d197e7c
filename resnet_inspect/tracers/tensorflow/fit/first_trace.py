"""Tells whether a `tf.function` is traced for the first of two times.

Where the first trace makes variables (an optimizer its slots), TensorFlow lifts them out of it,
throws it away, and traces again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


class Made:
    """Whether a variable was made inside a graph."""

    def __init__(self) -> None:
        self.any = False

    def __call__(self, usual: Callable[..., Any], **named: Any) -> Any:
        """Make a variable as usual; see `tf.variable_creator_scope`."""
        self.any = self.any or not tf.executing_eagerly()
        return usual(**named)


@contextmanager
def variables_made() -> Iterator[Made]:
    """Watches the variables that the body makes."""
    made = Made()
    with tf.variable_creator_scope(made):
        yield made
