"""Stages, blocks, layers, ops and the rows of the tree have sums that agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import pytest

from resnet_inspect.analysis.browse.details import Details
from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.analysis.costs.macs import Macs
from resnet_inspect.analysis.sizes.shapes import (
    Depth,
    ShapeTable,
    loose_variables,
    shapes,
    shapes_at_all_depths,
)
from resnet_inspect.graph import Graph, Layer, Op, Phase
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.store.run import Run
from tests.recordings import RECORDINGS

Open = Callable[[str], Run]
# In composite.db, the sum of x and dense(norm(x)) becomes their product.
PRODUCT = "composite, with a product between layers"
NAMES = (*RECORDINGS, PRODUCT)


class Sums(NamedTuple):
    """Parameters, and multiply-accumulates."""

    params: int
    macs: int

    @classmethod
    def of(cls, numbers: Iterator[tuple[int, int | None]]) -> Sums:
        """Return the sums of parameters and of known multiply-accumulates."""
        pairs = list(numbers)
        return cls(sum(params for params, _ in pairs), sum(macs or 0 for _, macs in pairs))


def graph_of(recording: Open, name: str) -> Graph:
    if name != PRODUCT:
        return recording(name).graph
    graph = recording("composite").graph
    between = {op for group in graph.groups for op in group.ops}
    ops = tuple(
        msgspec.structs.replace(op, type="MatMul") if op.name in between else op for op in graph.ops
    )
    return msgspec.structs.replace(graph, ops=ops)


def rows_of(table: ShapeTable) -> Sums:
    return Sums.of((row.params, row.macs) for row in table.rows if row.phase is Phase.FORWARD)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_each_depth_have_the_same_sums(recording: Open, name: str) -> None:
    graph = graph_of(recording, name)
    macs, tables = Macs(graph), {table.depth: table for table in shapes_at_all_depths(graph)}
    wanted = tables[Depth.OP].totals
    loose = sum(variable.spec.elements or 0 for variable in loose_variables(graph))
    without_layer = [op for op in graph.ops if op.name not in graph.layer_of_op]
    outside = {
        Depth.OP: [],
        Depth.LAYER: without_layer,
        Depth.BLOCK: [op for op in without_layer if op.name not in graph.group_of_op],
        Depth.STAGE: [op for op in without_layer if op.name not in graph.group_of_op],
    }
    for depth, table in tables.items():
        rest = Sums(loose, macs.lower_bound(outside[depth])[0])
        rows = rows_of(table)
        assert table.totals == msgspec.structs.replace(wanted, memory=table.totals.memory)
        assert (depth, rows.params + rest.params) == (depth, wanted.params)
        assert (depth, rows.macs + rest.macs) == (depth, wanted.macs)


@pytest.mark.parametrize("ops", [False, True], ids=["layers", "ops"])
@pytest.mark.parametrize("name", NAMES)
def test_rows_of_the_tree_are_the_sums_of_those_below(
    recording: Open, name: str, ops: bool
) -> None:
    tree = Tree(graph_of(recording, name), ops=ops)
    nodes = tree.outline.roots(tree.outline.filtered())
    for node in nodes:
        tree.check(node)
    forward = Sums.of(tree.numbers(node) for node in nodes if not node.key[0])
    table = shapes(tree.graph, Depth.OP if tree.outline.by_op else Depth.STAGE)
    assert forward == rows_of(table)
    if not tree.outline.by_op:
        for node in nodes:
            stages = [row for row in table.rows if row.name == node.name]
            assert tree.numbers(node) == Sums.of((row.params, row.macs) for row in stages)


class Tree:
    """The tree of a graph with the numbers of its rows."""

    def __init__(self, graph: Graph, *, ops: bool) -> None:
        self.graph, self.outline = graph, Outline(graph, ops=ops)
        self._details = Details(graph, Lineage())
        depth = Depth.OP if self.outline.by_op else Depth.LAYER
        rows = shapes(graph, depth).rows
        self._rows = {row.name: Sums(row.params, row.macs or 0) for row in rows}

    def numbers(self, node: OutlineNode) -> Sums:
        """Return the numbers of a scope as the detail pane shows them, or those of its leaf."""
        if node.kind is not NodeKind.SCOPE:
            return Sums.of(self._rows[leaf.name] for leaf in self._leaves(node))
        detail = self._details.scope(node.name, self._leaves(node))
        return Sums(detail.params, detail.macs or 0)

    def check(self, node: OutlineNode) -> None:
        """Compare each scope with its children and the ops between its layers."""
        if node.kind is not NodeKind.SCOPE:
            return
        below = self.outline.children(node)
        group = self.graph.group_by_path.get(tuple(node.name.split("/")))
        ops = [] if group is None or self.outline.by_op else group.ops
        between = Macs(self.graph).sum(self.graph.op_by_name[op] for op in ops)
        sums = Sums.of(map(self.numbers, below))
        assert self.numbers(node) == Sums(sums.params, sums.macs + (between or 0))
        for child in below:
            self.check(child)

    def _leaves(self, node: OutlineNode) -> list[Op | Layer]:
        return [self.outline.leaves[place] for place in node.members]
