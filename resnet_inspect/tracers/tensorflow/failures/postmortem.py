"""Finds the single change of a size that would make a rejected call succeed.

The call (see `calls`) is repeated on placeholders in a scratch graph, with one size changed at a
time. The new size is that of another tensor. For a call on a single tensor, it is a number among
the arguments, such as in the target shape of a reshape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import prod
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
from resnet_inspect.tracers.tensorflow.failures.calls import (
    Call,
    Shapes,
    rejected_call,
    source_name,
)
from resnet_inspect.tracers.tensorflow.failures.exceptions import REFUSALS
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow

# Types to try, to distinguish a wrong type from a wrong shape.
TYPES = (tf.float32, tf.int32, tf.bool)


def examined(
    error: BaseException, graph: Graph, variables: Mapping[str, tf.Variable]
) -> tuple[Mismatch | None, tuple[Note, ...]]:
    """Return the result of `examine`, or a note if it raises, so that the run is still saved."""
    try:
        return examine(error, graph, variables), ()
    except Exception as trouble:
        text = "the failed call could not be analyzed, so no repair is suggested"
        return None, (Note("explanation", f"{text}: {type(trouble).__name__}"),)


@quiet_tensorflow()
def examine(
    error: BaseException, graph: Graph, variables: Mapping[str, tf.Variable]
) -> Mismatch | None:
    """Explain the call that raised `error`, using its tensors in the captured `graph`.

    None if there is no such call, or if the call rejects types or values rather than shapes.
    """
    call = rejected_call(error.__traceback__) if isinstance(error, REFUSALS) else None
    if call is None or any(tensor.shape.rank is None for tensor in call.tensors()):
        return None
    names = {id(variable): name for name, variable in variables.items()}
    tensors = [t for t in call.tensors() if id(t) in names or t.op.name in graph.op_by_name]
    shapes = {id(tensor): tensor.shape.as_list() for tensor in call.tensors()}
    if not tensors or call.passes(shapes):
        return None
    if len(tensors) > 1:
        remedies = tuple(_remedies(call, tensors, shapes, names))
    else:
        remedies = tuple(_remedies_by_number(call, tensors[0], graph, names))
    others = tuple(OtherCall(text) for text in _other_calls(call, shapes))
    if not remedies and not others and (call.takes_functions or _wants_other_types(call, shapes)):
        return None
    return Mismatch(
        function=source_name(call),
        tensors=tuple(names.get(id(t)) or f"{t.op.name}:{t.value_index}" for t in tensors),
        remedies=remedies,
        others=others,
        swaps=tuple(_swaps(call, tensors, shapes, names)),
    )


def _wants_other_types(call: Call, shapes: Shapes) -> bool:
    """Return whether the call accepts these shapes if one tensor has another type."""
    return any(
        call.passes(shapes, {id(tensor): dtype})
        for tensor in call.tensors()
        for dtype in TYPES
        if dtype != tensor.dtype.base_dtype
    )


def _swaps(
    call: Call, tensors: list[Any], shapes: Shapes, names: dict[int, str]
) -> Iterator[tuple[AxisRef, AxisRef]]:
    """Yield pairs of axes of one tensor. With these axes swapped, the call passes.

    Variables and constants are not changed.
    """
    for tensor in (t for t in tensors if id(t) not in names and t.op.type != "Const"):
        ref = TensorRef(tensor.op.name, tensor.value_index)
        for first, second in combinations(range(len(shapes[id(tensor)])), 2):
            shape = list(shapes[id(tensor)])
            shape[first], shape[second] = shape[second], shape[first]
            if shape != shapes[id(tensor)] and call.passes({**shapes, id(tensor): shape}):
                yield AxisRef(ref, first), AxisRef(ref, second)


def _remedies(
    call: Call, tensors: list[Any], shapes: Shapes, names: dict[int, str]
) -> Iterator[Remedy]:
    """Yield, for each size that can be changed alone, the size of another tensor to change it to.

    Among several, a size that could in turn be changed to the first is preferred: a kernel's
    channels rather than a multiple of them. A size of the same axis is preferred next.
    """

    def passes(tensor: Any, axis: int, size: int | None) -> bool:
        changed = {key: list(shape) for key, shape in shapes.items()}
        changed[id(tensor)][axis] = size
        return call.passes(changed)

    for tensor in tensors:
        for axis, before in enumerate(shapes[id(tensor)]):
            ranked = [
                (not passes(other, place, before), place != axis, other, place, after)
                for other, place, after in _candidates(tensor, axis, tensors, shapes)
                if before is not None and passes(tensor, axis, after)
            ]
            if ranked and before is not None:
                _, _, other, place, after = min(ranked, key=lambda candidate: candidate[:2])
                here, there = _place(tensor, axis, names), _place(other, place, names)
                yield Remedy(here, there, before, after)


def _remedies_by_number(
    call: Call, tensor: Any, graph: Graph, names: dict[int, str]
) -> Iterator[Remedy]:
    """Yield, for each number in the call, the size that must equal this number to pass.

    Among several sizes, the one at the same distance from the last axis is preferred, because a
    reshape keeps the order of the axes.
    """
    shape = tensor.shape.as_list()
    for number in _numbers(call, graph):
        ranked = []
        for axis, before in enumerate(shape):
            changed = [*shape[:axis], number.value, *shape[axis + 1 :]]
            if before not in (None, number.value) and call.passes({id(tensor): changed}):
                ranked.append((abs(len(shape) - axis - number.from_end), axis, before))
        if ranked:
            _, axis, before = min(ranked)
            place = _place(tensor, axis, names)
            yield Remedy(place, number.place, before, number.value)


class _Number(NamedTuple):
    """A number in a list argument: its constant in the graph, its value, its index from the end."""

    place: FromLiteral
    value: int
    from_end: int


def _numbers(call: Call, graph: Graph) -> Iterator[_Number]:
    """Yield the positive integers in list arguments of a call that are constants of the graph."""
    for value in call.bound().values():
        if _is_target(value):
            ops = [op.name for op in graph.ops if op.attrs.get("value") == list(value)]
            for element, number in enumerate(value):
                if ops and number > 0:
                    place = FromLiteral(ops[-1], element)
                    yield _Number(place, number, len(value) - element)


def _other_calls(call: Call, shapes: Shapes) -> Iterator[str]:
    """Yield changes of other arguments that make the call pass, in words.

    Tried are other axes, other flags, and the first two tensors swapped.
    """
    named = call.bound()
    for name, value in named.items():
        for other in _alternatives(name, value, list(shapes.values())):
            if call.with_arguments(named | {name: other}).passes(shapes):
                yield f"{name}={other}"
    tensors = [name for name, value in named.items() if any(value is t for t in call.tensors())]
    if len(tensors) > 1:
        first, second = tensors[:2]
        swapped = named | {first: named[second], second: named[first]}
        if call.with_arguments(swapped).passes(shapes):
            yield f"{first} and {second} swapped"


def _alternatives(name: str, value: Any, shapes: list[list[int | None]]) -> list[Any]:
    """Return other values that the user may have intended for an argument."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int) and "axis" in name:
        return [axis for axis in range(max(map(len, shapes))) if axis != value]
    if len(shapes) == 1 and _is_target(value) and 0 < len(value) < len(shapes[0]):
        return _flattened(shapes[0], len(value)) if value[0] == -1 else []
    return []


def _flattened(shape: list[int | None], rank: int) -> list[list[int | None]]:
    """Return the target of a reshape to `rank` axes that keeps axis 0 and the last axes."""
    if rank == 1:
        return []
    kept = len(shape) - rank + 2
    merged = [size for size in shape[1:kept] if size is not None]
    return [[-1, prod(merged), *shape[kept:]]] if len(merged) == kept - 1 else []


def _is_target(value: Any) -> bool:
    """Return whether an argument is a list of integers, so that it may be a target shape."""
    return isinstance(value, list | tuple) and all(isinstance(size, int) for size in value)


def _candidates(
    tensor: Any, axis: int, tensors: list[Any], shapes: Shapes
) -> list[tuple[Any, int, int]]:
    """Return the sizes of other tensors that differ from the size of this axis."""
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
