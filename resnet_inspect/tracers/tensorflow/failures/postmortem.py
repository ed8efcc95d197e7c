"""What a refused call was given, and which single size would have made it pass.

The call (see `calls`) is made again in a scratch graph on placeholders, with one size changed at a
time: to that of another tensor, or, of a call on a single tensor, to a number that stands in the
call (the target of a reshape).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import tensorflow as tf

from resnet_inspect.graph import AxisRef, Graph, Note, TensorRef
from resnet_inspect.graph.lineage import (
    FromAxis,
    FromLiteral,
    FromVariable,
    Mismatch,
    OtherCall,
    Remedy,
)
from resnet_inspect.tracers.tensorflow.failures.calls import Call, Shapes, refused_call, spelled
from resnet_inspect.tracers.tensorflow.failures.exceptions import REFUSALS
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow

# What is tried to tell a wrong type from a wrong shape.
TYPES = (tf.float32, tf.int32, tf.bool)


def examined(
    error: BaseException, kept: Graph, variables: Mapping[str, tf.Variable]
) -> tuple[Mismatch | None, tuple[Note, ...]]:
    """What `examine` finds, or a note that it could not: an explanation must not cost the run."""
    try:
        return examine(error, kept, variables), ()
    except Exception as trouble:
        text = f"the refused call could not be examined: {type(trouble).__name__}"
        return None, (Note("explanation", text),)


@quiet_tensorflow()
def examine(
    error: BaseException, kept: Graph, variables: Mapping[str, tf.Variable]
) -> Mismatch | None:
    """The call that raised `error`, as far as its tensors are in the captured graph `kept`.

    None where no call is found, or where it refuses types or values rather than shapes.
    """
    call = refused_call(error.__traceback__) if isinstance(error, REFUSALS) else None
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
    others = tuple(OtherCall(text) for text in _other_calls(call, shapes))
    if not remedies and not others and (call.runs_code or _wants_other_types(call, shapes)):
        return None
    return Mismatch(
        function=spelled(call),
        tensors=tuple(names.get(id(t)) or f"{t.op.name}:{t.value_index}" for t in tensors),
        remedies=remedies,
        others=others,
        swaps=tuple(_swaps(call, tensors, shapes, names)),
    )


def _wants_other_types(call: Call, shapes: Shapes) -> bool:
    """Whether the call takes these shapes if one of its tensors has another type."""
    return any(
        call.passes(shapes, {id(tensor): dtype})
        for tensor in call.tensors()
        for dtype in TYPES
        if dtype != tensor.dtype.base_dtype
    )


def _swaps(
    call: Call, tensors: list[Any], shapes: Shapes, names: dict[int, str]
) -> Iterator[tuple[AxisRef, AxisRef]]:
    """Pairs of axes of one tensor, neither a variable nor a constant, that make the call pass if
    they change places.
    """
    for tensor in (one for one in tensors if id(one) not in names and one.op.type != "Const"):
        ref = TensorRef(tensor.op.name, tensor.value_index)
        for first, second in combinations(range(len(shapes[id(tensor)])), 2):
            shape = list(shapes[id(tensor)])
            shape[first], shape[second] = shape[second], shape[first]
            if shape != shapes[id(tensor)] and call.passes({**shapes, id(tensor): shape}):
                yield AxisRef(ref, first), AxisRef(ref, second)


def _remedies(
    call: Call, tensors: list[Any], shapes: Shapes, names: dict[int, str]
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
    for value in call.bound().values():
        if _is_target(value):
            ops = [op.name for op in kept.ops if op.attrs.get("value") == list(value)]
            for element, number in enumerate(value):
                if ops and number > 0:
                    place = FromLiteral(ops[-1], element)
                    yield _Number(place, number, len(value) - element)


def _other_calls(call: Call, shapes: Shapes) -> Iterator[str]:
    """Other axes, other flags, and the first two tensors swapped: those that pass, in words."""
    named = call.bound()
    for name, value in named.items():
        tries = _alternatives(name, value, list(shapes.values()))
        for other in tries:
            if call.with_named(named | {name: other}).passes(shapes):
                yield f"{name}={other}"
    tensors = [name for name, value in named.items() if any(value is t for t in call.tensors())]
    if len(tensors) > 1:
        first, second = tensors[:2]
        swapped = named | {first: named[second], second: named[first]}
        if call.with_named(swapped).passes(shapes):
            yield f"{first} and {second} swapped"


def _alternatives(name: str, value: Any, shapes: list[list[int | None]]) -> list[Any]:
    """Other values of an argument that somebody may have meant."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int) and "axis" in name:
        return [axis for axis in range(max(map(len, shapes))) if axis != value]
    if len(shapes) == 1 and _is_target(value) and 0 < len(value) < len(shapes[0]):
        return [[-1, *shapes[0][len(shapes[0]) - len(value) + 1 :]]] if value[0] == -1 else []
    return []


def _is_target(value: Any) -> bool:
    """Whether an argument is a list of sizes: numbers, none of them a tensor."""
    return isinstance(value, list | tuple) and all(isinstance(one, int) for one in value)


def _candidates(
    tensor: Any, axis: int, tensors: list[Any], shapes: Shapes
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
