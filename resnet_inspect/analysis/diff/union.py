"""Merges two aligned graphs: all of the first, with the unmatched parts of the second in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from resnet_inspect.analysis.diff.alignment import Alignment
from resnet_inspect.graph import Graph, Layer, Op, TensorRef, Variable

T = TypeVar("T", Layer, Op)


class MergedGraph(NamedTuple):
    """A merged graph for display: inputs of parts that only B has may be missing.

    `layers`, `ops` and `variables` map the names of parts that only B has to their names in B.
    The two names differ only if A uses the same name for something else.
    """

    graph: Graph
    layers: Mapping[str, str]
    ops: Mapping[str, str]
    variables: Mapping[str, str]


def merge_graphs(a: Graph, b: Graph, alignment: Alignment, *, every_op: bool) -> MergedGraph:
    """Merge two graphs.

    `every_op` adds all ops that only B has, else only the ops of layers that only B has. Pass the
    value that `align` was called with.
    """
    pairs = [
        set(names.values()) for names in (alignment.layers, alignment.ops, alignment.variables)
    ]
    layers = _unique(
        (layer.name for layer in b.layers if layer.name not in pairs[0]), a.layer_by_name
    )
    only_b = [b.layer_by_name[name] for name in layers]
    inside = {op for layer in only_b for op in layer.ops}
    ops = _unique(
        (op.name for op in b.ops if op.name in inside or (every_op and op.name not in pairs[1])),
        a.op_by_name,
    )
    of_layers = {name for layer in only_b for name in layer.variables}
    variables = _unique(
        (variable.name for variable in b.variables
         if variable.name not in pairs[2] and (every_op or variable.name in of_layers)),
        a.variable_by_name,
    )  # fmt: skip
    op_names = _inverted(alignment.ops) | ops
    variable_names = _inverted(alignment.variables) | variables
    graph = Graph(
        ops=_merged(a.ops, b.ops, alignment.ops, ops, lambda op: _op(op, op_names)),
        layers=_merged(
            a.layers, b.layers, alignment.layers, layers,
            lambda layer: _layer(layer, layers, ops, variable_names),
        ),
        variables=(*a.variables, *_variables_of_b(b, variables, ops)),
    )  # fmt: skip
    return MergedGraph(graph, *(_inverted(names) for names in (layers, ops, variables)))


def _unique(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Maps names of B to their names in the merged graph, which A must not use otherwise."""
    return {name: f"{name} (B)" if name in taken else name for name in names}


def _inverted(names: Mapping[str, str]) -> dict[str, str]:
    return {value: name for name, value in names.items()}


def _merged(
    first: Sequence[T],
    second: Sequence[T],
    partners: Mapping[str, str],
    only_b: Mapping[str, str],
    converted: Callable[[T], T],
) -> tuple[T, ...]:
    """All of the first, with the unmatched nodes of the second, each after its predecessor there.

    They follow the nodes that only the first graph has. They are last if nothing is in both.
    """
    places = {partners[node.name]: at for at, node in enumerate(first) if node.name in partners}
    following: dict[int, list[T]] = {}
    after = -1
    for node in second:
        if node.name in only_b:
            following.setdefault(after, []).append(converted(node))
        else:
            after = places.get(node.name, after)
    merged: list[T] = []
    pending: list[T] = following.get(-1, [])
    for at, node in enumerate(first):
        if node.name in partners:
            merged += pending
            pending = following.get(at, [])
        merged.append(node)
    return tuple(merged + pending)


def _op(op: Op, names: Mapping[str, str]) -> Op:
    inputs = tuple(TensorRef(names.get(ref.op, ref.op), ref.index) for ref in op.inputs)
    return msgspec.structs.replace(op, name=names[op.name], inputs=inputs)


def _layer(
    layer: Layer, layers: Mapping[str, str], ops: Mapping[str, str], variables: Mapping[str, str]
) -> Layer:
    """The layer with the merged graph's names, without inputs: A may lack or rename these."""
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


def _variables_of_b(
    b: Graph, variables: Mapping[str, str], ops: Mapping[str, str]
) -> Iterable[Variable]:
    for name, here in variables.items():
        variable = b.variable_by_name[name]
        handles = tuple(ops[op] for op in variable.handles if op in ops)
        readers = tuple(ops[op] for op in variable.readers if op in ops)
        yield msgspec.structs.replace(variable, name=here, handles=handles, readers=readers)
