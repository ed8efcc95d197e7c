"""Calls of TensorFlow's public functions, as a traceback holds them, to be made again.

These functions, and Keras' layers, run inside a wrapper that holds the function and its arguments.
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
MOST_TENSORS = 8
# How the user wrote what TensorFlow calls by a name of its own.
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
WRITTEN = {"_slice_helper": "indexing", "cond_for_tf": "tf.cond"}
MAKES_AN_OP = "_create_c_op"


@dataclass(frozen=True)
class Call:
    """A function with the arguments it was called with."""

    function: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def tensors(self) -> list[Any]:
        """The symbolic tensors and variables among the arguments, each once, at most eight."""
        found: list[Any] = []
        flat = tf.nest.flatten([list(self.arguments), list(self.named.values())])
        for value in flat:
            symbolic = isinstance(value, tf.Variable) or (
                isinstance(value, tf.Tensor) and not hasattr(value, "numpy")
            )
            if symbolic and not any(value is one for one in found):
                found.append(value)
        return found[:MOST_TENSORS]

    @property
    def runs_code(self) -> bool:
        """Whether it was given functions (branches, a loop's body), which hold tensors too."""
        return any(inspect.isroutine(one) for one in (*self.arguments, *self.named.values()))

    def passes(self, shapes: Shapes, types: dict[int, Any] | None = None) -> bool:
        """Whether the call succeeds if its tensors (by id) have these shapes, and these types.

        Whatever it raises is a refusal: it may be code of the user's own.
        """
        with FuncGraph("tried").as_default():
            places = {
                id(tensor): tf.compat.v1.placeholder(
                    (types or {}).get(id(tensor), tensor.dtype.base_dtype), shapes[id(tensor)]
                )
                for tensor in self.tensors()
            }

            def replaced(value: Any) -> Any:
                return tf.nest.map_structure(lambda one: places.get(id(one), one), value)

            try:
                self.function(*replaced(list(self.arguments)), **replaced(self.named))
            except Exception:
                return False
        return True

    def bound(self) -> dict[str, Any]:
        """The arguments by the names of the parameters, defaults included; only the named ones
        where the signature does not tell.
        """
        try:
            bound = inspect.signature(_target(self.function)).bind(*self.arguments, **self.named)
        except (TypeError, ValueError):
            return dict(self.named)
        bound.apply_defaults()
        return dict(bound.arguments)

    def with_named(self, named: dict[str, Any]) -> Call:
        """The same function with these arguments."""
        return Call(_target(self.function), (), named)


def refused_call(trace: TracebackType | None) -> Call | None:
    """The innermost public function of TensorFlow that an error came through, of those that take
    several tensors if there are such.
    """
    found = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == WRAPPER:
            held = frame.f_locals
            if {"fn", "args", "kwargs"} <= set(held):
                call = Call(held["fn"], *_with_variables(held["args"], held["kwargs"]))
                several = found is not None and len(found.tensors()) > 1
                if len(call.tensors()) > (1 if several else 0) and not (found and _is_op(call)):
                    found = call
        trace = trace.tb_next
    return found


def _with_variables(arguments: Any, named: Any) -> tuple[Any, Any]:
    """Arguments with TensorFlow's variables in place of Keras' own, which hold one each."""

    def plain(one: Any) -> Any:
        held = getattr(one, "value", None)
        return held if isinstance(held, tf.Variable) else one

    return tuple(tf.nest.map_structure(plain, list(arguments))), tf.nest.map_structure(plain, named)


def spelled(call: Call) -> str:
    """What was called, as the user wrote it: `+`, `matmul`, `indexing`, the name of a layer."""
    name = str(getattr(_target(call.function), "__name__", "call"))
    if name == "__call__" and call.arguments:
        return _layer(call.arguments[0])
    if _is_op(call):
        return str(getattr(call.arguments[1], "op", name)) if len(call.arguments) > 1 else name
    held = _held(inspect.unwrap(call.function))
    if name.endswith("binary_op_wrapper") and "op_name" in held:
        return SIGNS.get(held["op_name"], str(held["op_name"]))
    name = name.removesuffix("_v2")
    return WRITTEN.get(name) or name


def _layer(layer: Any) -> str:
    """A layer by its class and name; a @tf.function by the name of what it decorates."""
    python = getattr(layer, "python_function", None)
    if python is not None:
        qualified = str(getattr(python, "__qualname__", type(layer).__name__))
        return qualified.rpartition("<locals>.")[2]
    name = getattr(layer, "name", "")
    return f"{type(layer).__name__} '{name}'" if name else type(layer).__name__


def _is_op(call: Call) -> bool:
    return bool(getattr(call.function, "__name__", "") == MAKES_AN_OP)


def _target(function: Any) -> Any:
    """The function that a wrapper of TensorFlow's chooses to call."""
    return _held(function).get("dispatch_target", function)


def _held(function: Any) -> dict[str, Any]:
    return dict(inspect.getclosurevars(function).nonlocals) if inspect.isfunction(function) else {}
