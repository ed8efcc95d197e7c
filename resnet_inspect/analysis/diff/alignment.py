"""Pairs of corresponding layers, ops and variables of two graphs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from resnet_inspect.analysis.diff.matching import Vertex, match
from resnet_inspect.analysis.diff.numbering import (
    Numbered,
    alike,
    by_number,
    doubtful,
    without_numbers,
)
from resnet_inspect.graph import Graph, Layer, Op, Phase


class Alignment(NamedTuple):
    """Maps from names in A to names in B. Names without a partner are missing.

    `makers` contains the layers, and the ops outside of layers whose tensors layers read.
    """

    layers: Mapping[str, str]
    makers: Mapping[str, str]
    ops: Mapping[str, str]
    variables: Mapping[str, str]


def align(a: Graph, b: Graph, *, every_op: bool) -> Alignment:
    """Align two graphs with all their ops, or only with the ops of layers."""
    doubted = doubtful([layer.name for layer in a.layers], [layer.name for layer in b.layers])
    makers = _makers(a, b, doubted)
    layers = {
        name: partner
        for name, partner in makers.items()
        if name in a.layer_by_name and partner in b.layer_by_name
    }
    variables = _variables(a, b, layers, doubted)
    nodes = (
        _op_nodes(a, every_op, dict(zip(variables, variables, strict=True))),
        _op_nodes(b, every_op, {partner: name for name, partner in variables.items()}),
    )
    return Alignment(layers, makers, _ops(a, b, *nodes, layers, doubted), variables)


def _makers(a: Graph, b: Graph, doubted: set[str]) -> dict[str, str]:
    """Match layers by name, numbered names by order, then by neighbours, then by equal shapes.

    An op outside of layers can have the name of a layer in the other graph. They are a pair unless
    the layer has a partner by number.
    """
    first, second = _layer_nodes(a), _layer_nodes(b)
    seen = _numbered(a), _numbered(b)
    start = len(first) - len(a.layers), len(second) - len(b.layers)
    known = [(i + start[0], j + start[1]) for i, j in by_number(*seen, doubted)]
    known += [
        pair
        for pair in _equal_names(first, second)
        if not (pair[0] >= start[0] and pair[1] >= start[1] and first[pair[0]].name in doubted)
    ]
    pairs = match(first, second, known)
    if more := alike(*seen, [(i - start[0], j - start[1]) for i, j in pairs]):
        pairs = match(first, second, [*pairs, *((i + start[0], j + start[1]) for i, j in more)])
    return {first[i].name: second[j].name for i, j in pairs}


def _numbered(graph: Graph) -> list[Numbered]:
    rows = []
    for layer in graph.layers:
        shapes = (graph.variable_by_name[name].spec.shape for name in layer.variables)
        output = graph.spec(layer.output).shape
        rows.append(Numbered(layer.name, layer.type, tuple(shapes), output and output[1:]))
    return rows


def _layer_nodes(graph: Graph) -> list[Vertex]:
    """The layers, preceded by the ops outside of layers whose tensors they read."""
    makers = graph.layer_of_op
    outside = [
        name
        for name in dict.fromkeys(ref.op for layer in graph.layers for ref in layer.inputs)
        if name not in makers
    ]
    at = {name: place for place, name in enumerate(outside)}
    order = {layer.name: len(outside) + i for i, layer in enumerate(graph.layers)}
    nodes = [Vertex(name, f"input:{graph.op_by_name[name].type}", (), ()) for name in outside]
    for layer in graph.layers:
        taken = tuple(
            (order[makers[ref.op].name], 0) if ref.op in makers else (at[ref.op], ref.index)
            for ref in layer.inputs
        )
        nodes.append(Vertex(layer.name, layer.type, layer.path, taken))
    return nodes


def _ops(
    a: Graph,
    b: Graph,
    first: list[Vertex],
    second: list[Vertex],
    layers: Mapping[str, str],
    doubted: set[str],
) -> dict[str, str]:
    """Match ops by names from the user's code, by place, then by numbered names of equal sizes.

    In layers with numbered names, ops are matched by their names within the layer.
    """
    inside = _inside(a, b, first, second, layers, doubted)
    makers = [
        {op: layer.name for op, layer in graph.layer_of_op.items() if layer.name in doubted}
        for graph in (a, b)
    ]
    same = [
        (i, j)
        for i, j in _equal_names(first, second)
        if first[i].name not in makers[0] and second[j].name not in makers[1]
    ]
    numbered = _numbered_ops(a, b)
    sure = [*inside, *(pair for pair in same if first[pair[0]].name not in numbered)]
    pairs = match(first, second, sure)
    done = {i for i, _ in pairs}, {j for _, j in pairs}
    rest = [
        (i, j)
        for i, j in same
        if i not in done[0] and j not in done[1] and _alike(a, b, first[i].name)
    ]
    if rest:
        pairs = match(first, second, [*pairs, *rest])
    return {first[i].name: second[j].name for i, j in pairs}


def _inside(
    a: Graph,
    b: Graph,
    first: list[Vertex],
    second: list[Vertex],
    layers: Mapping[str, str],
    doubted: set[str],
) -> list[tuple[int, int]]:
    """Pairs of ops with the same name within two corresponding layers."""
    places = [{node.name: place for place, node in enumerate(side)} for side in (first, second)]
    pairs = []
    for layer, partner in layers.items():
        if layer not in doubted and partner not in doubted:
            continue
        left, right = _within(a.layer_by_name[layer]), _within(b.layer_by_name[partner])
        for name in left:
            if name in right and _types(a, left[name]) == _types(b, right[name]):
                pairs.append((places[0][left[name]], places[1][right[name]]))
    return pairs


def _within(layer: Layer) -> dict[str, str]:
    """The ops of a layer, keyed by their names without the scope that all of them share."""
    scopes = [op.split("/")[:-1] for op in layer.ops]
    depth = 0
    for parts in zip(*scopes, strict=False):
        if len(set(parts)) > 1:
            break
        depth += 1
    return {"/".join(op.split("/")[depth:]): op for op in layer.ops}


def _types(graph: Graph, op: str) -> str:
    return graph.op_by_name[op].type


def _alike(a: Graph, b: Graph, name: str) -> bool:
    op_a, op_b = a.op_by_name[name], b.op_by_name[name]
    return (op_a.type, op_a.outputs) == (op_b.type, op_b.outputs)


def _numbered_ops(a: Graph, b: Graph) -> set[str]:
    """Ops outside the forward pass whose names differ only by a number: AddN, AddN_1, AddN_2.

    The number depends on the ops that were created before.
    """
    names = {op.name for graph in (a, b) for op in graph.ops if op.phase != Phase.FORWARD}
    stems = {name: without_numbers(name) for name in names}
    several = {stem for name, stem in stems.items() if name != stem}
    return {name for name, stem in stems.items() if stem in several}


def _op_nodes(graph: Graph, every_op: bool, variables: Mapping[str, str]) -> list[Vertex]:
    """Vertices of the ops. A variable of both graphs gives its handles a type that no other has.

    `variables` maps a variable's name to the name that both graphs share.
    """
    makers = graph.layer_of_op
    ops = [op for op in graph.ops if every_op or op.name in makers]
    order = {op.name: place for place, op in enumerate(ops)}
    types = {
        handle: f"handle of {variables.get(variable.name, f'({variable.name})')}"
        for variable in graph.variables
        for handle in variable.handles
    }
    return [
        Vertex(op.name, types.get(op.name, op.type), _place(op, makers), _inputs(op, order))
        for op in ops
    ]


def _place(op: Op, makers: Mapping[str, Layer]) -> tuple[str, ...]:
    layer = makers.get(op.name)
    return (op.phase.value, *(layer.path if layer is not None else ()))


def _inputs(op: Op, order: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    return tuple((order[ref.op], ref.index) for ref in op.inputs if ref.op in order)


def _equal_names(first: Sequence[Vertex], second: Sequence[Vertex]) -> list[tuple[int, int]]:
    at = {node.name: place for place, node in enumerate(second)}
    return [(i, at[node.name]) for i, node in enumerate(first) if node.name in at]


def _variables(a: Graph, b: Graph, layers: Mapping[str, str], doubted: set[str]) -> dict[str, str]:
    """Match variables by name, then by the last part of the name within corresponding layers.

    In layers with numbered names the last part comes first. This includes the optimizer's
    variables of these layers.
    """
    pairs: dict[str, str] = {}
    numbered = {
        name: partner for name, partner in layers.items() if name in doubted or partner in doubted
    }
    _in_layers(a, b, numbered, pairs)
    _optimizer_variables(a, b, pairs)
    owned = [
        {name for layer in graph.layers if layer.name in doubted for name in layer.variables}
        for graph in (a, b)
    ]
    taken = set(pairs.values()) | owned[1]
    for variable in a.variables:
        name = variable.name
        if name in b.variable_by_name and name not in taken | pairs.keys() | owned[0]:
            pairs[name] = name
    _in_layers(a, b, layers, pairs)
    return pairs


def _in_layers(a: Graph, b: Graph, layers: Mapping[str, str], pairs: dict[str, str]) -> None:
    taken = set(pairs.values())
    for first, second in layers.items():
        left = _by_last_part(a.layer_by_name[first].variables, pairs)
        right = _by_last_part(b.layer_by_name[second].variables, taken)
        for part, names in left.items():
            if len(names) == len(right.get(part, ())):
                pairs.update(zip(names, right[part], strict=True))
                taken.update(right[part])


def _optimizer_variables(a: Graph, b: Graph, pairs: dict[str, str]) -> None:
    """Add the variables of Keras optimizers, which have names like adam/dense_1_kernel_momentum."""
    renamed = {name.replace("/", "_"): partner.replace("/", "_") for name, partner in pairs.items()}
    for variable in a.variables:
        scope, _, last = variable.name.rpartition("/")
        stem, _, kind = last.rpartition("_")
        partner = f"{scope}/{renamed.get(stem, '')}_{kind}"
        if stem in renamed and partner in b.variable_by_name and variable.name not in pairs:
            pairs[variable.name] = partner


def _by_last_part(names: Iterable[str], done: Collection[str]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name not in done:
            parts.setdefault(name.rpartition("/")[2], []).append(name)
    return parts
