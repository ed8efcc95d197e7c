"""Detects the first of two traces of a `tf.function`.

If the first trace creates variables, such as the slots of an optimizer, TensorFlow moves them out
of the function, discards the trace, and traces the function again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


class VariableWatch:
    """A variable creator; `any` says whether a variable was created inside a graph."""

    def __init__(self) -> None:
        self.any = False

    def __call__(self, create: Callable[..., Any], **named: Any) -> Any:
        """Create the variable with `create`; see `tf.variable_creator_scope`."""
        self.any = self.any or not tf.executing_eagerly()
        return create(**named)


@contextmanager
def variables_made() -> Iterator[VariableWatch]:
    """Watch the variables that the body creates."""
    watch = VariableWatch()
    with tf.variable_creator_scope(watch):
        yield watch
