"""Which edges of a diagram are a block's shortcut: handed on unchanged, or projected."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.analysis.diagram.diagram import Box, Edge, Node, Way

SUMS = ("AddV2", "Add", "AddN")
JOINS = (*SUMS, "ConcatV2")
# Functions that a refused call names, as their users write them.
CALLS = ("add", "add_v2", "add_n", "concat")
# Ops that begin no way of data: what comes from them alone are parameters.
PARAMETERS = ("ReadVariableOp", "Const", "VarHandleOp", "VariableV2", "Variable")


def shortcuts(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[dict[int, Way], set[str]]:
    """The edges (by place) that are shortcuts, and the boxes that stand on projected ones.

    Where two ways of data that parted meet again in a sum or a concatenation, the one that passes
    fewer boxes is the shortcut: a residual if it passes none since the ways parted.
    """
    order = {node.id: at for at, node in enumerate(nodes)}
    entering: dict[str, list[int]] = {}
    parameters: set[str] = set()
    for at, edge in enumerate(edges):
        if edge.way == Way.DATA:
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
        head: [at for at in found if edges[at].tail not in parameters]
        for head, found in entering.items()
    }
    ways: dict[int, Way] = {}
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
            parted = above[edges[at].tail] & main & ~given
            if depth[edges[at].tail] < max(lengths) and parted:
                _mark(at, main, edges, entering, order, ways, projecting)
    return ways, projecting


def _joins(node: Node) -> bool:
    if node.box == Box.REFUSED:
        return node.type in CALLS
    return node.box in (Box.LAYER, Box.OP) and node.type in JOINS


def _mark(
    start: int,
    main: int,
    edges: Sequence[Edge],
    entering: dict[str, list[int]],
    order: dict[str, int],
    ways: dict[int, Way],
    projecting: set[str],
) -> None:
    """Mark one shortcut from where it ends back to where it parted from the main way."""
    if main >> order[edges[start].tail] & 1:
        ways[start] = Way.RESIDUAL
        return
    waiting = [start]
    while waiting:
        at = waiting.pop()
        if at in ways:
            continue
        ways[at] = Way.PROJECTION
        tail = edges[at].tail
        if not main >> order[tail] & 1:
            projecting.add(tail)
            waiting += entering.get(tail, ())
