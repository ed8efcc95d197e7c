"""Two aligned graphs as one: all of the first, and what only the second has where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from resnet_inspect.analysis.diff.alignment import Alignment
from resnet_inspect.graph import Graph, Layer, Op, TensorRef, Variable

T = TypeVar("T", Layer, Op)


class Union(NamedTuple):
    """A graph that is there to be looked at, not to be run: inputs of what B alone has may be
    missing in it. For layers, ops and variables of it that only B has their names in B.

    Such a name is B's own, unless something of A has it.
    """

    graph: Graph
    layers: Mapping[str, str]
    ops: Mapping[str, str]
    variables: Mapping[str, str]


def united(a: Graph, b: Graph, found: Alignment, *, every_op: bool) -> Union:
    """Both graphs in one. Of ops that only B has all, or those of layers that only B has, as the
    graphs were aligned.
    """
    pairs = [set(names.values()) for names in (found.layers, found.ops, found.variables)]
    layers = _named((one.name for one in b.layers if one.name not in pairs[0]), a.layer_by_name)
    lone = [b.layer_by_name[name] for name in layers]
    inside = {op for layer in lone for op in layer.ops}
    ops = _named(
        (op.name for op in b.ops if op.name in inside or (every_op and op.name not in pairs[1])),
        a.op_by_name,
    )
    held = {name for layer in lone for name in layer.variables}
    variables = _named(
        (one.name for one in b.variables
         if one.name not in pairs[2] and (every_op or one.name in held)),
        a.variable_by_name,
    )  # fmt: skip
    op_names = _turned(found.ops) | ops
    held_names = _turned(found.variables) | variables
    graph = Graph(
        ops=_merged(a.ops, b.ops, found.ops, ops, lambda op: _op(op, op_names)),
        layers=_merged(
            a.layers, b.layers, found.layers, layers,
            lambda one: _layer(one, layers, ops, held_names),
        ),
        variables=(*a.variables, *_lone_variables(b, variables, ops)),
    )  # fmt: skip
    return Union(graph, *(_turned(names) for names in (layers, ops, variables)))


def _named(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """What names of B are here: the same, or other ones where A has them for something else."""
    return {name: f"{name} (B)" if name in taken else name for name in names}


def _turned(names: Mapping[str, str]) -> dict[str, str]:
    return {value: name for name, value in names.items()}


def _merged(
    first: Sequence[T],
    second: Sequence[T],
    partners: Mapping[str, str],
    lone: Mapping[str, str],
    made: Callable[[T], T],
) -> tuple[T, ...]:
    """All of the first, with the lone ones of the second after what they follow there, behind what
    only the first has; at the end where nothing is in both.
    """
    places = {partners[one.name]: at for at, one in enumerate(first) if one.name in partners}
    waiting: dict[int, list[T]] = {}
    after = -1
    for one in second:
        if one.name in lone:
            waiting.setdefault(after, []).append(made(one))
        else:
            after = places.get(one.name, after)
    found: list[T] = []
    held: list[T] = waiting.get(-1, [])
    for at, one in enumerate(first):
        if one.name in partners:
            found += held
            held = waiting.get(at, [])
        found.append(one)
    return tuple(found + held)


def _op(op: Op, names: Mapping[str, str]) -> Op:
    inputs = tuple(TensorRef(names.get(ref.op, ref.op), ref.index) for ref in op.inputs)
    return msgspec.structs.replace(op, name=names[op.name], inputs=inputs)


def _layer(
    layer: Layer, layers: Mapping[str, str], ops: Mapping[str, str], variables: Mapping[str, str]
) -> Layer:
    """What it takes is left out: that may be named otherwise in A, or not be there."""
    output = TensorRef(ops.get(layer.output.op, layer.output.op), layer.output.index)
    return msgspec.structs.replace(
        layer,
        name=layers[layer.name],
        main=ops.get(layer.main, layer.main),
        ops=tuple(ops[name] for name in layer.ops if name in ops),
        inputs=(),
        output=output,
        variables=tuple(variables.get(name, name) for name in layer.variables),
    )


def _lone_variables(
    b: Graph, variables: Mapping[str, str], ops: Mapping[str, str]
) -> Iterable[Variable]:
    for name, here in variables.items():
        one = b.variable_by_name[name]
        handles = tuple(ops[op] for op in one.handles if op in ops)
        readers = tuple(ops[op] for op in one.readers if op in ops)
        yield msgspec.structs.replace(one, name=here, handles=handles, readers=readers)
