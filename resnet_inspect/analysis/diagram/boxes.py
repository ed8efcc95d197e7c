"""Creates boxes, edges and groups of a diagram from its units, and finds shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from resnet_inspect.analysis.diagram.diagram import (
    Box,
    Cluster,
    Edge,
    EdgeKind,
    Level,
    Node,
    anchor,
)
from resnet_inspect.analysis.diagram.marks import Marks
from resnet_inspect.analysis.diagram.repeats import Block
from resnet_inspect.analysis.diagram.shortcuts import shortcuts
from resnet_inspect.analysis.diagram.units import Parts, Unit, UnitLink
from resnet_inspect.analysis.sizes.geometry import Window, window
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph
from resnet_inspect.graph.tensors import Shape

DiagramParts = tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Cluster, ...]]


def boxes(
    graph: Graph,
    level: Level,
    parts: Parts,
    runs: Sequence[Sequence[Block]],
    marks: Marks,
    *,
    outside: frozenset[str],
    rejected: str,
    remarks: tuple[str, ...],
) -> DiagramParts:
    """Return nodes, edges and groups. `rejected` is the unit that failed, with its `remarks`."""
    facts = _facts(graph, level)
    repeated = {run[0][0].path: run for run in runs}
    often = {layer.name: len(run) for run in runs for layer in run[0]}
    nodes = []
    for key, unit in parts.units.items():
        node = _node(graph, unit, facts)
        run = _run_of(unit, repeated)
        failed = unit.box == Box.REJECTED
        node = msgspec.structs.replace(
            node,
            times=len(run) if run else often.get(unit.name, 1) if unit.box == Box.GRADIENT else 1,
            last=run[-1][0].path[-1] if run else "",
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
    groups = {node.path[:depth] for node in nodes for depth in range(1, len(node.path) + 1)}
    nodes = [_inside(node, groups) for node in nodes]
    return tuple(nodes), tuple(edges), tuple(_clusters(nodes, repeated))


def _run_of(unit: Unit, repeated: dict[tuple[str, ...], Sequence[Block]]) -> Sequence[Block] | None:
    """Return the run of repeated blocks that a block, or the gradient of a block, represents."""
    kind, _, rest = unit.key.removeprefix("gradient:").partition(":")
    return repeated.get(tuple(rest.split("/"))) if kind == Box.BLOCK else None


def _inside(node: Node, groups: set[tuple[str, ...]]) -> Node:
    """Move a block into the group with the same path. It contains ops directly in that group."""
    own = (*node.path, node.name)
    if node.box != Box.BLOCK or own not in groups:
        return node
    return msgspec.structs.replace(node, path=own)


Facts = dict[str, tuple[Shape, Window | None, int]]


def _facts(graph: Graph, level: Level) -> Facts:
    """Return shape, window and parameter count by name, from the shape table of that depth."""
    if level == Level.OP:
        return {}
    rows = shapes(graph, Depth(level.value)).rows
    return {row.name: (row.shape, row.window, row.params) for row in rows}


def _node(graph: Graph, unit: Unit, facts: Facts) -> Node:
    shape: Shape = None
    sliding: Window | None = None
    params = 0
    name = "/".join((*unit.path, unit.name)) if unit.box == Box.BLOCK else unit.name
    if unit.box == Box.VARIABLE:
        spec = graph.variable_by_name[unit.name].spec
        shape, params = spec.shape, spec.elements or 0
    elif unit.box == Box.INPUT:
        shape = graph.spec(graph.inputs[unit.name]).shape
    elif unit.box in (Box.LAYER, Box.BLOCK, Box.STAGE) and name in facts:
        shape, sliding, params = facts[name]
    elif unit.key.startswith("op:"):
        op = graph.op_by_name[unit.ops[0]]
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


def _clusters(
    nodes: Sequence[Node], repeated: dict[tuple[str, ...], Sequence[Block]]
) -> list[Cluster]:
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
                    last=run[-1][0].path[-1] if run else "",
                    times=len(run) if run else 1,
                )
    return list(clusters.values())
