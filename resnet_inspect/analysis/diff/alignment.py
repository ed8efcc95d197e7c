"""Which layers, ops and variables of two graphs correspond."""

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
    """For names in A those in B; what has no partner is not in them.

    `makers` are layers, and ops outside of layers that layers take tensors of.
    """

    layers: Mapping[str, str]
    makers: Mapping[str, str]
    ops: Mapping[str, str]
    variables: Mapping[str, str]


def align(a: Graph, b: Graph, *, every_op: bool) -> Alignment:
    """Align two graphs; of their ops all, or only those that lie in layers."""
    doubted = doubtful([one.name for one in a.layers], [one.name for one in b.layers])
    makers = _makers(a, b, doubted)
    layers = {
        one: other
        for one, other in makers.items()
        if one in a.layer_by_name and other in b.layer_by_name
    }
    variables = _variables(a, b, layers, doubted)
    nodes = (
        _op_nodes(a, every_op, dict(zip(variables, variables, strict=True))),
        _op_nodes(b, every_op, {other: one for one, other in variables.items()}),
    )
    return Alignment(layers, makers, _ops(a, b, *nodes, layers, doubted), variables)


def _makers(a: Graph, b: Graph, doubted: set[str]) -> dict[str, str]:
    """By names, those that count by order; by neighbours; then by order what has equal shapes."""
    first, second = _layer_nodes(a), _layer_nodes(b)
    seen = _numbered(a), _numbered(b)
    start = len(first) - len(a.layers), len(second) - len(b.layers)
    known = [
        pair
        for pair in _namesakes(first, second)
        if not (pair[0] >= start[0] and pair[1] >= start[1] and first[pair[0]].name in doubted)
    ]
    known += [(i + start[0], j + start[1]) for i, j in by_number(*seen, doubted)]
    pairs = match(first, second, known)
    layers = [(i - start[0], j - start[1]) for i, j in pairs if i >= start[0] and j >= start[1]]
    if more := alike(*seen, layers):
        pairs = match(first, second, [*pairs, *((i + start[0], j + start[1]) for i, j in more)])
    return {first[i].name: second[j].name for i, j in pairs}


def _numbered(graph: Graph) -> list[Numbered]:
    found = []
    for layer in graph.layers:
        shapes = (graph.variable_by_name[name].spec.shape for name in layer.variables)
        output = graph.spec(layer.output).shape
        found.append(Numbered(layer.name, layer.type, tuple(shapes), output and output[1:]))
    return found


def _layer_nodes(graph: Graph) -> list[Vertex]:
    """The layers, and before them the ops outside of layers that they take tensors of."""
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
    """By names that the user wrote, by place, then by names that only count, if sizes agree.

    In layers whose names count, by names within the layer.
    """
    inside = _inside(a, b, first, second, layers, doubted)
    makers = [
        {op: one.name for op, one in graph.layer_of_op.items() if one.name in doubted}
        for graph in (a, b)
    ]
    same = [
        (i, j)
        for i, j in _namesakes(first, second)
        if first[i].name not in makers[0] and second[j].name not in makers[1]
    ]
    counted = _counted(a, b)
    sure = [*inside, *(pair for pair in same if first[pair[0]].name not in counted)]
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
    """Ops of layers that correspond, in which they are called the same."""
    places = [{node.name: place for place, node in enumerate(side)} for side in (first, second)]
    pairs = []
    for one, other in layers.items():
        if one not in doubted and other not in doubted:
            continue
        left, right = _within(a.layer_by_name[one]), _within(b.layer_by_name[other])
        for name in left:
            if name in right and _types(a, left[name]) == _types(b, right[name]):
                pairs.append((places[0][left[name]], places[1][right[name]]))
    return pairs


def _within(layer: Layer) -> dict[str, str]:
    """The ops of a layer by their names without the scope that all lie in."""
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


def _op_nodes(graph: Graph, every_op: bool, variables: Mapping[str, str]) -> list[Vertex]:
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
        Vertex(op.name, types.get(op.name, op.type), _place(op, makers), _inputs(op, order))
        for op in ops
    ]


def _place(op: Op, makers: Mapping[str, Layer]) -> tuple[str, ...]:
    layer = makers.get(op.name)
    return (op.phase.value, *(layer.path if layer is not None else ()))


def _inputs(op: Op, order: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    return tuple((order[ref.op], ref.index) for ref in op.inputs if ref.op in order)


def _namesakes(first: Sequence[Vertex], second: Sequence[Vertex]) -> list[tuple[int, int]]:
    at = {node.name: place for place, node in enumerate(second)}
    return [(i, at[node.name]) for i, node in enumerate(first) if node.name in at]


def _variables(a: Graph, b: Graph, layers: Mapping[str, str], doubted: set[str]) -> dict[str, str]:
    """By name, then by the last part of the name within layers that correspond; in layers whose
    names count by the last part first, and so what an optimizer keeps of them.
    """
    found: dict[str, str] = {}
    numbered = {one: two for one, two in layers.items() if one in doubted or two in doubted}
    _in_layers(a, b, numbered, found)
    _kept_of(a, b, found)
    owned = [
        {name for layer in graph.layers if layer.name in doubted for name in layer.variables}
        for graph in (a, b)
    ]
    taken = set(found.values()) | owned[1]
    for one in a.variables:
        name = one.name
        if name in b.variable_by_name and name not in taken | found.keys() | owned[0]:
            found[name] = name
    _in_layers(a, b, layers, found)
    return found


def _in_layers(a: Graph, b: Graph, layers: Mapping[str, str], found: dict[str, str]) -> None:
    taken = set(found.values())
    for first, second in layers.items():
        left = _by_last_part(a.layer_by_name[first].variables, found)
        right = _by_last_part(b.layer_by_name[second].variables, taken)
        for part, names in left.items():
            if len(names) == len(right.get(part, ())):
                found.update(zip(names, right[part], strict=True))
                taken.update(right[part])


def _kept_of(a: Graph, b: Graph, found: dict[str, str]) -> None:
    """What Keras' optimizers keep of a variable is called adam/dense_1_kernel_momentum."""
    renamed = {one.replace("/", "_"): two.replace("/", "_") for one, two in found.items()}
    for one in a.variables:
        scope, _, last = one.name.rpartition("/")
        stem, _, kind = last.rpartition("_")
        other = f"{scope}/{renamed.get(stem, '')}_{kind}"
        if stem in renamed and other in b.variable_by_name and one.name not in found:
            found[one.name] = other


def _by_last_part(names: Iterable[str], done: Collection[str]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name not in done:
            parts.setdefault(name.rpartition("/")[2], []).append(name)
    return parts
