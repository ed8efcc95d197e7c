"""Extracts calls of TensorFlow's public functions from a traceback, so that they can be repeated.

These functions and Keras layers run in a wrapper, whose frame has the function and its arguments.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

Shapes = dict[int, list[int | None]]

WRAPPER = "error_handler"
MAX_TENSORS = 8
# Python operators by TensorFlow's names for them.
SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and": "&",
    "or": "|",
    "xor": "^",
}
SOURCE_NAMES = {"_slice_helper": "indexing", "cond_for_tf": "tf.cond"}
MAKES_AN_OP = "_create_c_op"


@dataclass(frozen=True)
class Call:
    """A function and the arguments of one call."""

    function: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def tensors(self) -> list[Any]:
        """Return the symbolic tensors and variables among the arguments, at most eight."""
        tensors: list[Any] = []
        flat = tf.nest.flatten([list(self.arguments), list(self.named.values())])
        for value in flat:
            symbolic = isinstance(value, tf.Variable) or (
                isinstance(value, tf.Tensor) and not hasattr(value, "numpy")
            )
            if symbolic and not any(value is tensor for tensor in tensors):
                tensors.append(value)
        return tensors[:MAX_TENSORS]

    @property
    def takes_functions(self) -> bool:
        """Return whether an argument is a function, such as a loop body, which may use tensors."""
        return any(inspect.isroutine(value) for value in (*self.arguments, *self.named.values()))

    def passes(self, shapes: Shapes, types: dict[int, Any] | None = None) -> bool:
        """Return whether the call succeeds with tensors (by id) of these shapes and types.

        Any exception counts as a failure, because the call may run the user's code.
        """
        with FuncGraph("attempt").as_default():
            places = {
                id(tensor): tf.compat.v1.placeholder(
                    (types or {}).get(id(tensor), tensor.dtype.base_dtype), shapes[id(tensor)]
                )
                for tensor in self.tensors()
            }

            def replaced(value: Any) -> Any:
                return tf.nest.map_structure(lambda leaf: places.get(id(leaf), leaf), value)

            try:
                self.function(*replaced(list(self.arguments)), **replaced(self.named))
            except Exception:
                return False
        return True

    def bound(self) -> dict[str, Any]:
        """Return the arguments, with defaults, by parameter name.

        Without a signature, only the keyword arguments are returned.
        """
        try:
            bound = inspect.signature(_target(self.function)).bind(*self.arguments, **self.named)
        except (TypeError, ValueError):
            return dict(self.named)
        bound.apply_defaults()
        return dict(bound.arguments)

    def with_arguments(self, named: dict[str, Any]) -> Call:
        """Return a call of the same function with these arguments."""
        return Call(_target(self.function), (), named)


def rejected_call(trace: TracebackType | None) -> Call | None:
    """Return the innermost call of a public TensorFlow function in the traceback of an error.

    Calls with several tensors are preferred. None if there is no such call.
    """
    innermost = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == WRAPPER:
            local = frame.f_locals
            if {"fn", "args", "kwargs"} <= set(local):
                call = Call(local["fn"], *_with_variables(local["args"], local["kwargs"]))
                several = innermost is not None and len(innermost.tensors()) > 1
                if len(call.tensors()) > (1 if several else 0) and not (innermost and _is_op(call)):
                    innermost = call
        trace = trace.tb_next
    return innermost


def _with_variables(arguments: Any, named: Any) -> tuple[Any, Any]:
    """Return the arguments with each Keras variable replaced by its TensorFlow variable."""

    def plain(value: Any) -> Any:
        variable = getattr(value, "value", None)
        return variable if isinstance(variable, tf.Variable) else value

    return tuple(tf.nest.map_structure(plain, list(arguments))), tf.nest.map_structure(plain, named)


def source_name(call: Call) -> str:
    """Return the called function as in the source: `+`, `matmul`, `indexing`, a layer's name."""
    name = str(getattr(_target(call.function), "__name__", "call"))
    if name == "__call__" and call.arguments:
        return _layer(call.arguments[0])
    if _is_op(call):
        return str(getattr(call.arguments[1], "op", name)) if len(call.arguments) > 1 else name
    enclosed = _nonlocals(inspect.unwrap(call.function))
    if name.endswith("binary_op_wrapper") and "op_name" in enclosed:
        return SIGNS.get(enclosed["op_name"], str(enclosed["op_name"]))
    name = name.removesuffix("_v2")
    return SOURCE_NAMES.get(name) or name


def _layer(layer: Any) -> str:
    """Return the class and name of a layer, or the name of a `tf.function`'s Python function."""
    python = getattr(layer, "python_function", None)
    if python is not None:
        qualified = str(getattr(python, "__qualname__", type(layer).__name__))
        return qualified.rpartition("<locals>.")[2]
    name = getattr(layer, "name", "")
    return f"{type(layer).__name__} '{name}'" if name else type(layer).__name__


def _is_op(call: Call) -> bool:
    return bool(getattr(call.function, "__name__", "") == MAKES_AN_OP)


def _target(function: Any) -> Any:
    """Return the function that TensorFlow's dispatching wrapper calls."""
    return _nonlocals(function).get("dispatch_target", function)


def _nonlocals(function: Any) -> dict[str, Any]:
    return dict(inspect.getclosurevars(function).nonlocals) if inspect.isfunction(function) else {}
