"""Which layers, ops and variables of two graphs correspond."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from resnet_inspect.analysis.diff.matching import Node, match
from resnet_inspect.graph import Graph, Layer, Op, Phase

# What TensorFlow puts behind a name that is taken already: AddN_3, zeros_like_7/x.
NUMBER = re.compile(r"_\d+(?=/|$)")


class Alignment(NamedTuple):
    """For names in A those in B; what has no partner is not in them.

    `makers` are layers, and ops outside of layers that layers take tensors of.
    """

    layers: Mapping[str, str]
    makers: Mapping[str, str]
    ops: Mapping[str, str]
    variables: Mapping[str, str]


def align(a: Graph, b: Graph, *, every_op: bool) -> Alignment:
    """Align two graphs; of their ops all, or only those that lie in layers."""
    makers = _makers(a, b)
    layers = {
        one: other
        for one, other in makers.items()
        if one in a.layer_by_name and other in b.layer_by_name
    }
    variables = _variables(a, b, layers)
    nodes = (
        _op_nodes(a, every_op, dict(zip(variables, variables, strict=True))),
        _op_nodes(b, every_op, {other: one for one, other in variables.items()}),
    )
    return Alignment(layers, makers, _ops(a, b, *nodes), variables)


def without_numbers(name: str) -> str:
    """The name without the numbers that tell it from others of its kind."""
    return NUMBER.sub("", name)


def _makers(a: Graph, b: Graph) -> dict[str, str]:
    first, second = _layer_nodes(a), _layer_nodes(b)
    pairs = match(first, second, _namesakes(first, second))
    return {first[i].name: second[j].name for i, j in pairs}


def _layer_nodes(graph: Graph) -> list[Node]:
    """The layers, and before them the ops outside of layers that they take tensors of."""
    makers = graph.layer_of_op
    outside = [
        name
        for name in dict.fromkeys(ref.op for layer in graph.layers for ref in layer.inputs)
        if name not in makers
    ]
    at = {name: place for place, name in enumerate(outside)}
    order = {layer.name: len(outside) + i for i, layer in enumerate(graph.layers)}
    nodes = [Node(name, f"input:{graph.op_by_name[name].type}", (), ()) for name in outside]
    for layer in graph.layers:
        taken = tuple(
            (order[makers[ref.op].name], 0) if ref.op in makers else (at[ref.op], ref.index)
            for ref in layer.inputs
        )
        nodes.append(Node(layer.name, layer.type, layer.path, taken))
    return nodes


def _ops(a: Graph, b: Graph, first: list[Node], second: list[Node]) -> dict[str, str]:
    """By names that the user wrote, by place, then by names that only count, if sizes agree."""
    same, counted = _namesakes(first, second), _counted(a, b)
    pairs = match(first, second, [pair for pair in same if first[pair[0]].name not in counted])
    done = {i for i, _ in pairs}, {j for _, j in pairs}
    rest = [
        (i, j)
        for i, j in same
        if i not in done[0] and j not in done[1] and _alike(a, b, first[i].name)
    ]
    if rest:
        pairs = match(first, second, [*pairs, *rest])
    return {first[i].name: second[j].name for i, j in pairs}


def _alike(a: Graph, b: Graph, name: str) -> bool:
    one, other = a.op_by_name[name], b.op_by_name[name]
    return (one.type, one.outputs) == (other.type, other.outputs)


def _counted(a: Graph, b: Graph) -> set[str]:
    """Ops beyond the forward pass that are told from others by a number alone, which depends on
    what was made before them: AddN, AddN_1, AddN_2.
    """
    names = {op.name for graph in (a, b) for op in graph.ops if op.phase != Phase.FORWARD}
    stems = {name: without_numbers(name) for name in names}
    several = {stem for name, stem in stems.items() if name != stem}
    return {name for name, stem in stems.items() if stem in several}


def _op_nodes(graph: Graph, every_op: bool, variables: Mapping[str, str]) -> list[Node]:
    """Handles of variables are of a type of their own for each that both graphs have.

    `variables` tells the name that stands for a variable in both.
    """
    makers = graph.layer_of_op
    ops = [op for op in graph.ops if every_op or op.name in makers]
    order = {op.name: place for place, op in enumerate(ops)}
    types = {
        handle: f"handle of {variables.get(one.name, f'({one.name})')}"
        for one in graph.variables
        for handle in one.handles
    }
    return [
        Node(op.name, types.get(op.name, op.type), _place(op, makers), _inputs(op, order))
        for op in ops
    ]


def _place(op: Op, makers: Mapping[str, Layer]) -> tuple[str, ...]:
    layer = makers.get(op.name)
    return (op.phase.value, *(layer.path if layer is not None else ()))


def _inputs(op: Op, order: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    return tuple((order[ref.op], ref.index) for ref in op.inputs if ref.op in order)


def _namesakes(first: Sequence[Node], second: Sequence[Node]) -> list[tuple[int, int]]:
    at = {node.name: place for place, node in enumerate(second)}
    return [(i, at[node.name]) for i, node in enumerate(first) if node.name in at]


def _variables(a: Graph, b: Graph, layers: Mapping[str, str]) -> dict[str, str]:
    """By name, then by the last part of the name within layers that correspond."""
    found = {one.name: one.name for one in a.variables if one.name in b.variable_by_name}
    taken = set(found.values())
    for first, second in layers.items():
        left = _by_last_part(a.layer_by_name[first].variables, found)
        right = _by_last_part(b.layer_by_name[second].variables, taken)
        for part, names in left.items():
            if len(names) == len(right.get(part, ())):
                found.update(zip(names, right[part], strict=True))
                taken.update(right[part])
    return found


def _by_last_part(names: Iterable[str], done: Collection[str]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name not in done:
            parts.setdefault(name.rpartition("/")[2], []).append(name)
    return parts
