"""Finds the edges of a diagram that are shortcuts of blocks: unchanged or projected."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.analysis.diagram.diagram import Box, Edge, EdgeKind, Node

SUMS = ("AddV2", "Add", "AddN")
JOINS = (*SUMS, "ConcatV2", "Concatenate")
# Names of the same functions in a rejected call.
CALLS = ("add", "add_v2", "add_n", "concat")
# Ops that produce parameters, not data.
PARAMETERS = ("ReadVariableOp", "Const", "VarHandleOp", "VariableV2", "Variable")


def shortcuts(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[dict[int, EdgeKind], set[str]]:
    """Return the shortcut edges by index, and the boxes on projected shortcuts.

    Where two data paths separate and meet again in a sum or a concatenation, the shorter path is
    the shortcut. It is a residual if it has no boxes after the paths separate.
    """
    order = {node.id: at for at, node in enumerate(nodes)}
    entering: dict[str, list[int]] = {}
    parameters: set[str] = set()
    for at, edge in enumerate(edges):
        if edge.way == EdgeKind.DATA:
            entering.setdefault(edge.head, []).append(at)
    depth: dict[str, int] = {}
    above: dict[str, int] = {}
    for node in nodes:
        tails = [edges[at].tail for at in entering.get(node.id, ())]
        tails = [tail for tail in tails if order[tail] < order[node.id]]
        if parameters.issuperset(tails) if tails else node.type in PARAMETERS:
            parameters.add(node.id)
        depth[node.id] = 1 + max((depth[tail] for tail in tails), default=0)
        above[node.id] = 1 << order[node.id]
        for tail in tails:
            above[node.id] |= above[tail]
    given = sum(1 << order[name] for name in parameters)
    entering = {
        head: [at for at in indexes if edges[at].tail not in parameters]
        for head, indexes in entering.items()
    }
    ways: dict[int, EdgeKind] = {}
    projecting: set[str] = set()
    for node in nodes:
        into = entering.get(node.id, [])
        if not _joins(node):
            continue
        if node.type in SUMS:
            into = [at for at in into if edges[at].shape == node.shape]
        lengths = [depth[edges[at].tail] for at in into]
        if len(into) < 2 or min(lengths) == max(lengths):
            continue
        longest = into[lengths.index(max(lengths))]
        main = above[edges[longest].tail]
        for at in into:
            shared = above[edges[at].tail] & main & ~given
            if depth[edges[at].tail] < max(lengths) and shared:
                _mark(at, main, edges, entering, order, ways, projecting)
    return ways, projecting


def _joins(node: Node) -> bool:
    if node.box == Box.REJECTED:
        return node.type in CALLS
    return node.box in (Box.LAYER, Box.OP) and node.type in JOINS


def _mark(
    start: int,
    main: int,
    edges: Sequence[Edge],
    entering: dict[str, list[int]],
    order: dict[str, int],
    ways: dict[int, EdgeKind],
    projecting: set[str],
) -> None:
    """Mark one shortcut, from its end to the point where it separates from the main path."""
    if main >> order[edges[start].tail] & 1:
        ways[start] = EdgeKind.RESIDUAL
        return
    waiting = [start]
    while waiting:
        at = waiting.pop()
        if at in ways:
            continue
        ways[at] = EdgeKind.PROJECTION
        tail = edges[at].tail
        if not main >> order[tail] & 1:
            projecting.add(tail)
            waiting += entering.get(tail, ())
