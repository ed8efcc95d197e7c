"""Unwraps the Python function of a `tf.function`, as written or rewritten by AutoGraph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any

from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.eager.polymorphic_function import autograph_util


def rewritten(python: Any, options: Any = None) -> Callable[..., Any]:
    """Return the function as AutoGraph rewrites it, with AutoGraph enabled in each call."""
    rewriting = autograph_util.py_func_from_autograph(python, options)

    def call(*args: Any, **kwargs: Any) -> Any:
        with ag_ctx.ControlStatusCtx(ag_ctx.Status.ENABLED):
            return rewriting(*args, **kwargs)

    return wraps(python)(call)


def plain(python: Any) -> Any:
    """Return a method bound to its real object.

    TensorFlow binds a method to a placeholder object that only TensorFlow can call.
    """
    method = getattr(python, "__wrapped__", None)
    if not inspect.ismethod(method):
        return python
    return MethodType(method.__func__, getattr(method.__self__, "target", method.__self__))
