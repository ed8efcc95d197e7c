"""What a refused call was given, and which single size would have made it pass.

The call is found in the traceback: TensorFlow's public functions run inside a wrapper that holds
the function and its arguments. It is called again in a scratch graph on placeholders, with one
size changed at a time: to that of another tensor, or, of a call on a single tensor, to a number
that stands in the call (the target of a reshape).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import tensorflow as tf

from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import (
    FromAxis,
    FromLiteral,
    FromVariable,
    Mismatch,
    OtherCall,
    Remedy,
)
from resnet_inspect.tracers.tensorflow.failures import REFUSALS
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow

# The wrapper around TensorFlow's public functions.
WRAPPER = "error_handler"
MOST_TENSORS = 8


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
        """Whether the call succeeds if its tensors (by id) have these shapes.

        A TypeError is a refusal too: it is what TensorFlow raises for some shapes.
        """
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


@quiet_tensorflow()
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
    if not tensors or call.passes(shapes):
        return None
    if len(tensors) > 1:
        remedies = tuple(_remedies(call, tensors, shapes, names))
    else:
        remedies = tuple(_remedies_by_number(call, tensors[0], kept, names))
    return Mismatch(
        function=_name(call.function),
        tensors=tuple(names.get(id(t)) or f"{t.op.name}:{t.value_index}" for t in tensors),
        remedies=remedies,
        others=tuple(OtherCall(text) for text in _other_calls(call, shapes)),
    )


def _name(function: Any) -> str:
    return str(getattr(_target(function), "__name__", "call")).removesuffix("_v2")


def _refused_call(trace: TracebackType | None) -> Call | None:
    """The innermost public function of TensorFlow that the error came through, of those that take
    several tensors if there are such.
    """
    found = None
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == WRAPPER:
            held = frame.f_locals
            if {"fn", "args", "kwargs"} <= set(held):
                call = Call(held["fn"], held["args"], held["kwargs"])
                several = found is not None and len(found.tensors()) > 1
                if len(call.tensors()) > (1 if several else 0):
                    found = call
        trace = trace.tb_next
    return found


def _remedies(
    call: Call, tensors: list[Any], shapes: dict[int, list[int | None]], names: dict[int, str]
) -> Iterator[Remedy]:
    """For each size that may be changed alone, the size of another tensor that does it.

    Of several the one counts that may itself be changed to the first (a kernel's channels rather
    than a multiple of them), then one at the same axis.
    """

    def passes(tensor: Any, axis: int, size: int | None) -> bool:
        changed = {key: list(shape) for key, shape in shapes.items()}
        changed[id(tensor)][axis] = size
        return call.passes(changed)

    for tensor in tensors:
        for axis, before in enumerate(shapes[id(tensor)]):
            found = [
                (not passes(other, place, before), place != axis, other, place, after)
                for other, place, after in _candidates(tensor, axis, tensors, shapes)
                if before is not None and passes(tensor, axis, after)
            ]
            if found and before is not None:
                _, _, other, place, after = min(found, key=lambda one: one[:2])
                here, there = _place(tensor, axis, names), _place(other, place, names)
                yield Remedy(here, there, before, after)


def _remedies_by_number(
    call: Call, tensor: Any, kept: Graph, names: dict[int, str]
) -> Iterator[Remedy]:
    """For each number in the call the size that passes if it is that number.

    Of several the one counts that is as far from the last axis: a reshape keeps their order.
    """
    shape = tensor.shape.as_list()
    for written in _numbers(call, kept):
        found = []
        for axis, before in enumerate(shape):
            changed = [*shape[:axis], written.value, *shape[axis + 1 :]]
            if before not in (None, written.value) and call.passes({id(tensor): changed}):
                found.append((abs(len(shape) - axis - written.from_end), axis, before))
        if found:
            _, axis, before = min(found)
            place = _place(tensor, axis, names)
            yield Remedy(place, written.place, before, written.value)


class _Number(NamedTuple):
    """A number in a call: its place in the graph, its value, its distance from the list's end."""

    place: FromLiteral
    value: int
    from_end: int


def _numbers(call: Call, kept: Graph) -> Iterator[_Number]:
    """The positive integers in the lists that a call was given, as constants of the graph."""
    for value in _bound(call).values():
        if isinstance(value, list | tuple) and all(isinstance(one, int) for one in value):
            ops = [op.name for op in kept.ops if op.attrs.get("value") == list(value)]
            for element, number in enumerate(value):
                if ops and number > 0:
                    place = FromLiteral(ops[-1], element)
                    yield _Number(place, number, len(value) - element)


def _other_calls(call: Call, shapes: dict[int, list[int | None]]) -> Iterator[str]:
    """Other axes, other flags, and the first two tensors swapped: those that pass, in words."""
    named = _bound(call)
    for name, value in named.items():
        tries = _alternatives(name, value, list(shapes.values()))
        for other in tries:
            if Call(_target(call.function), (), named | {name: other}).passes(shapes):
                yield f"{name}={other}"
    tensors = [name for name, value in named.items() if any(value is t for t in call.tensors())]
    if len(tensors) > 1:
        first, second = tensors[:2]
        swapped = named | {first: named[second], second: named[first]}
        if Call(_target(call.function), (), swapped).passes(shapes):
            yield f"{first} and {second} swapped"


def _alternatives(name: str, value: Any, shapes: list[list[int | None]]) -> list[Any]:
    """Other values of an argument that somebody may have meant."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int) and "axis" in name:
        return [axis for axis in range(max(map(len, shapes))) if axis != value]
    if len(shapes) == 1 and isinstance(value, list | tuple) and value and value[0] == -1:
        return [[-1, *shapes[0][len(shapes[0]) - len(value) + 1 :]]]
    return []


def _bound(call: Call) -> dict[str, Any]:
    """The arguments of a call by the names of its parameters, defaults included."""
    try:
        bound = inspect.signature(_target(call.function)).bind(*call.arguments, **call.named)
    except (TypeError, ValueError):
        return dict(call.named)
    bound.apply_defaults()
    return dict(bound.arguments)


def _target(function: Any) -> Any:
    """The function that a wrapper of TensorFlow's chooses to call."""
    held = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    return held.get("dispatch_target", function)


def _candidates(
    tensor: Any, axis: int, tensors: list[Any], shapes: dict[int, list[int | None]]
) -> list[tuple[Any, int, int]]:
    """Sizes of the other tensors that differ from one of this."""
    return [
        (other, place, size)
        for other in tensors
        if other is not tensor
        for place, size in enumerate(shapes[id(other)])
        if size is not None and size != shapes[id(tensor)][axis]
    ]


def _place(tensor: Any, axis: int, names: dict[int, str]) -> FromAxis | FromVariable:
    if id(tensor) in names:
        return FromVariable(names[id(tensor)], axis)
    return FromAxis(AxisRef(TensorRef(tensor.op.name, tensor.value_index), axis))
