"""What a refused call was given, and which single size would have made it pass.

The call is found in the traceback: TensorFlow's public functions run inside a wrapper that holds
the function and its arguments. It is called again in a scratch graph on placeholders, with one
size changed to that of another tensor at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import tensorflow as tf

from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import FromAxis, FromVariable, Mismatch, Remedy

# The wrapper around TensorFlow's public functions.
WRAPPER = "error_handler"
MOST_TENSORS = 8
REFUSALS = (ValueError, TypeError, tf.errors.OpError)


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
                tf.is_tensor(value) and not hasattr(value, "numpy")
            )
            if symbolic and not any(value is one for one in found):
                found.append(value)
        return found[:MOST_TENSORS]

    def passes(self, shapes: dict[int, list[int | None]]) -> bool:
        """Whether the call succeeds if its tensors (by id) have these shapes."""
        with tf.Graph().as_default():
            places = {
                id(tensor): tf.compat.v1.placeholder(tensor.dtype, shapes[id(tensor)])
                for tensor in self.tensors()
            }

            def replaced(value: Any) -> Any:
                return tf.nest.map_structure(lambda one: places.get(id(one), one), value)

            try:
                self.function(*replaced(list(self.arguments)), **replaced(self.named))
            except REFUSALS:
                return False
        return True


def examine(
    error: BaseException, kept: Graph, variables: Mapping[str, tf.Variable]
) -> Mismatch | None:
    """The call that raised `error`, as far as its tensors are in the captured graph `kept`."""
    call = _refused_call(error.__traceback__)
    if call is None or any(tensor.shape.rank is None for tensor in call.tensors()):
        return None
    names = {id(variable): name for name, variable in variables.items()}
    tensors = [t for t in call.tensors() if id(t) in names or t.op.name in kept.op_by_name]
    shapes = {id(tensor): tensor.shape.as_list() for tensor in call.tensors()}
    if len(tensors) < 2 or call.passes(shapes):
        return None
    return Mismatch(
        function=_name(call.function),
        tensors=tuple(names.get(id(t)) or f"{t.op.name}:{t.value_index}" for t in tensors),
        remedies=tuple(_remedies(call, tensors, shapes, names)),
    )


def _name(function: Any) -> str:
    """A function's own name, beneath what TensorFlow puts around it to choose an implementation."""
    held = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    name = str(getattr(held.get("dispatch_target", function), "__name__", "call"))
    return name.removesuffix("_v2")


def _refused_call(trace: TracebackType | None) -> Call | None:
    """The innermost public function of TensorFlow that the error came through."""
    found = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == WRAPPER:
            held = frame.f_locals
            if {"fn", "args", "kwargs"} <= set(held):
                call = Call(held["fn"], held["args"], held["kwargs"])
                if len(call.tensors()) > 1:
                    found = call
        trace = trace.tb_next
    return found


def _remedies(
    call: Call, tensors: list[Any], shapes: dict[int, list[int | None]], names: dict[int, str]
) -> Iterator[Remedy]:
    """For each size that may be changed alone, the nearest size of another tensor that does it."""
    for tensor in tensors:
        for axis, before in enumerate(shapes[id(tensor)]):
            for other, place, after in _candidates(tensor, axis, tensors, shapes):
                changed = {key: list(shape) for key, shape in shapes.items()}
                changed[id(tensor)][axis] = after
                if before is not None and call.passes(changed):
                    here = _place(tensor, axis, names)
                    yield Remedy(here, _place(other, place, names), before, after)
                    break


def _candidates(
    tensor: Any, axis: int, tensors: list[Any], shapes: dict[int, list[int | None]]
) -> list[tuple[Any, int, int]]:
    """Sizes of the other tensors that differ from one of this, the same axis of them first."""
    found = [
        (other, place, size)
        for other in tensors
        if other is not tensor
        for place, size in enumerate(shapes[id(other)])
        if size is not None and size != shapes[id(tensor)][axis]
    ]
    return sorted(found, key=lambda one: one[1] != axis)


def _place(tensor: Any, axis: int, names: dict[int, str]) -> FromAxis | FromVariable:
    if id(tensor) in names:
        return FromVariable(names[id(tensor)], axis)
    return FromAxis(AxisRef(TensorRef(tensor.op.name, tensor.value_index), axis))
