"""Finds the edges of a diagram that are shortcuts of blocks: unchanged or projected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.diagram.diagram import Box, Edge, EdgeKind, Node

SUMS = ("AddV2", "Add", "AddN")
JOINS = (*SUMS, "ConcatV2", "Concatenate")
# Names of the same functions in a rejected call.
ADDITIONS = ("add", "add_v2", "add_n")
CALLS = (*ADDITIONS, "concat")
# Ops that produce parameters, not data.
PARAMETERS = ("ReadVariableOp", "Const", "VarHandleOp", "VariableV2", "Variable")


def shortcuts(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[dict[int, EdgeKind], set[str]]:
    """Return the shortcut edges by index, and the boxes on projected shortcuts.

    Where a tensor goes two ways that meet again in a sum or a concatenation, the shorter way is the
    shortcut. Without boxes it is a residual. With a chain of boxes that ends in a sum and keeps the
    number of axes, it is a projection: a branch that other tensors enter computes more than that.
    """
    flow = _Flow(nodes, edges)
    ways: dict[int, EdgeKind] = {}
    projecting: set[str] = set()
    for node in nodes:
        for chain in flow.shorter_ways(node) if _joins(node) else ():
            shapes = [edges[at].shape for at in chain]
            ranks = {None if shape is None else len(shape) for shape in shapes}
            if len(chain) == 1:
                ways[chain[0]] = EdgeKind.RESIDUAL
            elif node.type in (*SUMS, *ADDITIONS) and len(ranks) == 1:
                ways |= dict.fromkeys(chain, EdgeKind.PROJECTION)
                projecting |= {edges[at].tail for at in chain[:-1]}
    return ways, projecting


def _joins(node: Node) -> bool:
    if node.box == Box.REJECTED:
        return node.type in CALLS
    return node.box in (Box.LAYER, Box.OP) and node.type in JOINS


class _Flow:
    """The data edges between boxes, without those of parameters.

    Attributes:
        order: the position of each box.
        entering: the edges into each box, by index.
        readers: the boxes that read each tensor of a box.
        depth: the number of boxes on the longest path to each box.
        above: the boxes on all paths to each box and itself, as bits of their positions.
    """

    def __init__(self, nodes: Sequence[Node], edges: Sequence[Edge]) -> None:
        self.edges = edges
        self.order = {node.id: at for at, node in enumerate(nodes)}
        self.readers: dict[tuple[str, str], list[str]] = {}
        self.depth: dict[str, int] = {}
        self.above: dict[str, int] = {}
        entering: dict[str, list[int]] = {}
        for at, edge in enumerate(edges):
            if edge.way == EdgeKind.DATA:
                self.readers.setdefault((edge.tail, edge.tensor), []).append(edge.head)
                entering.setdefault(edge.head, []).append(at)
        parameters: set[str] = set()
        for node in nodes:
            tails = [edges[at].tail for at in entering.get(node.id, ())]
            tails = [tail for tail in tails if self.order[tail] < self.order[node.id]]
            if parameters.issuperset(tails) if tails else node.type in PARAMETERS:
                parameters.add(node.id)
            self.depth[node.id] = 1 + max((self.depth[tail] for tail in tails), default=0)
            self.above[node.id] = 1 << self.order[node.id]
            for tail in tails:
                self.above[node.id] |= self.above[tail]
        self.entering = {
            head: [at for at in indexes if edges[at].tail not in parameters]
            for head, indexes in entering.items()
        }

    def shorter_ways(self, node: Node) -> Iterator[list[int]]:
        """Yield the ways into a box that begin at a tensor which its longest path reads too.

        A way is a list of edges from its end to its beginning.
        """
        into = self.entering.get(node.id, [])
        if node.type in SUMS:
            into = [at for at in into if self.edges[at].shape == node.shape]
        longest = max(into, key=lambda at: self.depth[self.edges[at].tail], default=None)
        if longest is None:
            return
        last = self.edges[longest].tail
        for at in into:
            if self.depth[self.edges[at].tail] < self.depth[last]:
                way = self._way(at, self.above[last])
                start = self.edges[way[-1]]
                readers = self.readers[start.tail, start.tensor]
                if any(self.above[last] >> self.order[head] & 1 for head in readers):
                    yield way

    def _way(self, end: int, main: int) -> list[int]:
        """Return the edges back to the main path, or to a box that several tensors enter."""
        way = [end]
        while not main >> self.order[self.edges[way[-1]].tail] & 1:
            tail = self.edges[way[-1]].tail
            into = self.entering.get(tail, [])
            if len(into) != 1 or self.order[self.edges[into[0]].tail] >= self.order[tail]:
                break
            way += into
        return way
