"""Creates boxes, edges and groups of a diagram from its units, and finds shortcuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from resnet_inspect.analysis.diagram.diagram import (
    Box,
    Cluster,
    Edge,
    EdgeKind,
    Node,
    anchor,
)
from resnet_inspect.analysis.diagram.items import CONSTANTS
from resnet_inspect.analysis.diagram.layer_types import BESIDE
from resnet_inspect.analysis.diagram.marks import Marks
from resnet_inspect.analysis.diagram.outline import Run
from resnet_inspect.analysis.diagram.shortcuts import shortcuts
from resnet_inspect.analysis.diagram.units import Parts, Unit, UnitLink
from resnet_inspect.analysis.sizes.geometry import Window, window
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, shapes
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.tensors import Shape

GROUPS = (Box.LAYER, Box.BLOCK, Box.STAGE)
# The most types of layers that a box lists.
CONTENTS = 3
DiagramParts = tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Cluster, ...]]


def boxes(
    graph: Graph,
    parts: Parts,
    runs: Sequence[Run],
    marks: Marks,
    *,
    outside: frozenset[str],
    rejected: str,
    remarks: tuple[str, ...],
) -> DiagramParts:
    """Return nodes, edges and groups. `rejected` is the unit that failed, with its `remarks`."""
    facts = _facts(graph, parts)
    repeated = {key: run for run in runs for key in run.keys}
    copies = _copies(runs)
    nodes = []
    for key, unit in parts.units.items():
        node = _node(graph, unit, facts)
        run = repeated.get(key.removeprefix("gradient:"))
        failed = unit.box == Box.REJECTED
        source = parts.units.get(key.removeprefix("gradient:"), unit)
        count = copies.get(source.ops[0], 1) if source.ops else 1
        times = count if unit.box == Box.GRADIENT else len(run.blocks) if run else 1
        node = msgspec.structs.replace(
            node,
            times=times,
            copies=count,
            last=run.last if run else "",
            outside=key in outside,
            failed=failed or key == rejected,
            lineage=marks.units.get(key, ""),
            remarks=remarks if failed else tuple(marks.remarks.get(key, ())),
        )
        nodes.append(node)
    ids = {key: node.id for key, node in zip(parts.units, nodes, strict=True)}
    edges = _edges(graph, parts, marks, ids)
    ways, projecting = shortcuts(nodes, edges)
    edges = [
        msgspec.structs.replace(edge, way=ways[at]) if at in ways else edge
        for at, edge in enumerate(edges)
    ]
    nodes = [
        msgspec.structs.replace(node, projection=True) if node.id in projecting else node
        for node in nodes
    ]
    return tuple(nodes), tuple(edges), tuple(_clusters(nodes, runs))


def _copies(runs: Sequence[Run]) -> dict[str, int]:
    """Return how many ops each op of a repeated block represents."""
    copies: dict[str, int] = {}
    for run in runs:
        for item in run.blocks[0]:
            for op in item.ops:
                copies[op] = copies.get(op, 1) * len(run.blocks)
    return copies


Facts = dict[str, ShapeRow]


def _facts(graph: Graph, parts: Parts) -> Facts:
    """Return the rows of all layers by name, if a unit is not an op."""
    if all(unit.box not in GROUPS for unit in parts.units.values()):
        return {}
    return {row.name: row for row in shapes(graph, Depth.LAYER).rows}


def _layers(graph: Graph, unit: Unit) -> list[str]:
    """Return the layers of one of the equal blocks that a unit represents, in order."""
    of_op = graph.layer_of_op
    return list(dict.fromkeys(of_op[op].name for op in unit.ops if op in of_op))


def _contents(graph: Graph, layers: Sequence[str]) -> tuple[str, ...]:
    """Return the types of the layers in a block with their numbers.

    They are those with variables, if there are any. Normalizations, activations and what else
    belongs to the layer beside it are left out.
    """
    members = [graph.layer_by_name[name] for name in layers]
    members = [layer for layer in members if layer.type not in BESIDE]
    weighted = [layer for layer in members if layer.variables]
    kinds = Counter(layer.type for layer in weighted or members)
    texts = [f"{count} {kind}" if count > 1 else kind for kind, count in kinds.items()]
    return (*texts[:CONTENTS], *(["…"] if len(texts) > CONTENTS else []))


def _output(graph: Graph, unit: Unit) -> TensorRef | None:
    """Return the output of a group: as recorded, else its last tensor that another op reads."""
    own = set(unit.ops)
    layers = _layers(graph, unit)
    path = tuple(unit.key.partition(":")[2].split("/"))
    recorded = graph.group_outputs.get((path, layers[-1])) if layers else None
    if recorded is not None:
        return recorded
    refs = [
        TensorRef(name, index)
        for name in reversed(unit.ops)
        for index in range(len(graph.op_by_name[name].outputs))
        if graph.op_by_name[name].type not in CONSTANTS
    ]
    used = (ref for ref in refs if not own.issuperset(graph.consumers.get(ref, ())))
    return next(used, refs[0] if refs else None)


def _node(graph: Graph, unit: Unit, facts: Facts) -> Node:
    shape: Shape = None
    sliding: Window | None = None
    params = 0
    contents: tuple[str, ...] = ()
    name = unit.key.partition(":")[2] if unit.box in GROUPS else unit.name
    if unit.box == Box.VARIABLE:
        spec = graph.variable_by_name[unit.name].spec
        shape, params = spec.shape, spec.elements or 0
    elif unit.box == Box.INPUT:
        shape = graph.spec(graph.entries[unit.name]).shape
    elif unit.box in GROUPS:
        layers = _layers(graph, unit)
        params = sum(facts[layer].params for layer in layers)
        contents = _contents(graph, layers) if unit.box != Box.LAYER else ()
        output = _output(graph, unit)
        shape = graph.spec(output).shape if output else None
        sliding = facts[name].window if unit.box == Box.LAYER else None
    elif unit.key.startswith("op:"):
        op = graph.op_by_name[unit.ops[-1]]
        shape = op.outputs[0].shape if op.outputs else None
        sliding = window(graph, op)
    if unit.box == Box.REST:
        identity = anchor("rest", unit.key.partition(":")[2])
    elif unit.box == Box.GRADIENT:
        identity = anchor("gradient", unit.key.partition(":")[2])
    else:
        identity = anchor(unit.box.value, name)
    return Node(
        id=identity,
        box=unit.box,
        name=unit.name,
        type=unit.type,
        path=unit.path,
        shape=shape,
        contains=contents,
        window=sliding,
        params=params,
        layers=unit.layers,
    )


def _edges(graph: Graph, parts: Parts, marks: Marks, ids: dict[str, str]) -> list[Edge]:
    edges: dict[object, Edge] = {}
    connected = {(link.tail, link.head) for link in parts.links if link.way != EdgeKind.CONTROL}
    for link in parts.links:
        if link.way == EdgeKind.CONTROL and (link.tail, link.head) in connected:
            continue
        edge = _edge(graph, link, marks, ids)
        loose = link.way in (EdgeKind.GRADIENT, EdgeKind.KEPT)
        key = (edge.tail, edge.head, edge.way) if loose else edge
        edges.setdefault(key, edge)
    return list(edges.values())


def _edge(graph: Graph, link: UnitLink, marks: Marks, ids: dict[str, str]) -> Edge:
    tensor = str(link.ref) if link.ref is not None else link.variable
    shape: Shape = None
    if link.ref is not None:
        shape = graph.spec(link.ref).shape
    elif link.variable:
        shape = graph.variable_by_name[link.variable].spec.shape
    kind, axes = marks.links.get((link.tail, link.head), ("", {}))
    traced = tensor in axes
    return Edge(
        tail=ids[link.tail],
        head=ids[link.head],
        way=link.way,
        tensor=tensor,
        shape=shape,
        lineage=kind if traced else "",
        axes=(axes[tensor],) if traced else (),
    )


def _clusters(nodes: Sequence[Node], runs: Sequence[Run]) -> list[Cluster]:
    repeated = {run.shown: run for run in runs}
    clusters: dict[tuple[str, ...], Cluster] = {}
    for node in nodes:
        for depth in range(1, len(node.path) + 1):
            path = node.path[:depth]
            if path not in clusters:
                run = repeated.get(path)
                clusters[path] = Cluster(
                    id=anchor("group", "/".join(path)),
                    path=path,
                    name=path[-1],
                    last=run.last if run else "",
                    times=len(run.blocks) if run else 1,
                )
    return list(clusters.values())
