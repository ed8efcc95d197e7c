"""The Python function behind a `tf.function`, as it was written and as TensorFlow rewrites it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any

from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.eager.polymorphic_function import autograph_util


def rewritten(python: Any, options: Any = None) -> Callable[..., Any]:
    """A function that runs as TensorFlow rewrites it, wherever it is called."""
    rewriting = autograph_util.py_func_from_autograph(python, options)

    def call(*given: Any, **named: Any) -> Any:
        with ag_ctx.ControlStatusCtx(ag_ctx.Status.ENABLED):
            return rewriting(*given, **named)

    return wraps(python)(call)


def plain(python: Any) -> Any:
    """A method as Python has it: TensorFlow's holds its object by a stand-in, which only it can
    call.
    """
    method = getattr(python, "__wrapped__", None)
    if not inspect.ismethod(method):
        return python
    return MethodType(method.__func__, getattr(method.__self__, "target", method.__self__))
