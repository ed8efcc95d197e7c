"""The tree of a network: each leaf appears once, and search and paths find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.browse.outline import (
    MOST_CHILDREN,
    NodeKind,
    Outline,
    OutlineFilter,
    OutlineNode,
)
from resnet_inspect.graph import Graph, Op, Phase
from resnet_inspect.store.run import Run
from tests.recordings import RECORDINGS

Open = Callable[[str], Run]


def every(outline: Outline, members: list[int] | range | None = None) -> Iterator[OutlineNode]:
    waiting = list(outline.roots(outline.filtered() if members is None else members))
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting = outline.children(node) + waiting


def graph_of(names: list[str], phases: list[Phase] | None = None) -> Graph:
    phases = phases or [Phase.FORWARD] * len(names)
    return Graph(tuple(Op(n, "T", p) for n, p in zip(names, phases, strict=True)))


def test_layers_are_below_stages_and_blocks(recording: Open) -> None:
    outline = Outline(recording("v2").graph, ops=False)
    assert [node.label for node in outline.roots(outline.filtered())] == [
        "stem", "conv_block_stage0", "conv_block_stage1", "conv_block_stage2", "head",
    ]  # fmt: skip
    stage = outline.roots(outline.filtered())[1]
    (block,) = outline.children(stage)
    assert block.label == "res00"
    assert block.depth == 1
    names = [node.name for node in outline.children(block)]
    assert names == [
        "bn00_branch2a", "relu00_branch2a", "res00_branch2a", "bn00_branch2b",
        "relu00_branch2b", "res00_branch2b", "add00",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(RECORDINGS))
@pytest.mark.parametrize("ops", [False, True])
def test_each_leaf_has_exactly_one_row(recording: Open, name: str, ops: bool) -> None:
    outline = Outline(recording(name).graph, ops=ops)
    owned = [node.own for node in every(outline) if node.own is not None]
    assert sorted(owned) == list(range(len(outline.leaves)))
    for node in every(outline):
        if node.own is not None and node.kind == NodeKind.OP:
            assert outline.leaves[node.own].name == node.name


def test_ops_are_below_their_layer(recording: Open) -> None:
    graph = recording("v2").graph
    outline = Outline(graph, ops=True)
    layers = {node.name: node for node in every(outline) if node.kind == NodeKind.LAYER}
    assert set(layers) == set(graph.layer_by_name)
    for name, node in layers.items():
        inside = {outline.leaves[place].name for place in node.members}
        assert inside == set(graph.layer_by_name[name].ops)


def test_other_phases_have_separate_roots(recording: Open) -> None:
    graph = recording("v2").graph
    outline = Outline(graph, ops=True)
    roots = {node.label: node for node in outline.roots(outline.filtered())}
    for phase, label in ((Phase.BACKWARD, "backward"), (Phase.OPTIMIZER, "optimizer")):
        wanted = {op.name for op in graph.ops if op.phase == phase}
        below = {outline.leaves[place].name for place in roots[label].members}
        assert below == wanted - set(graph.layer_of_op)


names = st.lists(
    st.lists(st.sampled_from(["a", "b", "ab", "Conv2D", "", "x:0"]), min_size=1, max_size=4)
    .map("/".join).filter(bool),
    unique=True, max_size=30,
)  # fmt: skip


@given(names, st.data())
def test_any_names_make_a_tree(ops: list[str], data: st.DataObject) -> None:
    phases = [data.draw(st.sampled_from(Phase)) for _ in ops]
    outline = Outline(graph_of(ops, phases), ops=True)
    nodes = list(every(outline))
    assert sorted(node.own for node in nodes if node.own is not None) == list(range(len(ops)))
    assert len({node.key for node in nodes}) == len(nodes)
    for before, after in pairwise(nodes):
        assert after.depth <= before.depth + 1
    for node in nodes:
        below = [place for child in outline.children(node) for place in child.members]
        own = [] if node.own is None else [node.own]
        assert sorted(own + below) == sorted(node.members)
        assert node.opens == bool(below)


@given(names, st.sampled_from(["a", "B", "conv", "/", "ab/a", "t"]))
def test_search_returns_leaves_that_contain_the_text(ops: list[str], text: str) -> None:
    outline = Outline(graph_of(ops), ops=True)
    hits = outline.search(text, outline.filtered())
    places = sorted(place for some in hits.values() for place in some)
    expected = [
        at for at, op in enumerate(ops) if text.lower() in op.lower() or text.lower() in "t"
    ]
    assert places == expected
    for path, some in hits.items():
        assert all(ops[place] == path or ops[place].startswith(path + "/") for place in some)


def test_the_path_to_a_leaf(recording: Open) -> None:
    outline = Outline(recording("v2").graph, ops=True)
    for name in ("conv_block_stage0/res00_branch2a/Conv2D", "loss", "images"):
        place = outline.place_of(name)
        assert place is not None
        way = outline.path_to(place, outline.filtered())
        assert way[-1].name == name
        for above, below in pairwise(way):
            assert below.key in {node.key for node in outline.children(above)}
    assert outline.path_to(0, [1, 2]) == []


def test_layers_and_ops_lead_to_each_other(recording: Open) -> None:
    graph = recording("v2").graph
    layers, ops = Outline(graph, ops=False), Outline(graph, ops=True)
    place = layers.place_of("conv_block_stage0/res00_branch2a/Conv2D")
    assert place is not None
    assert layers.leaves[place].name == "res00_branch2a"
    first = ops.place_of("res00_branch2a")
    assert first is not None
    assert ops.leaves[first].name in graph.layer_by_name["res00_branch2a"].ops
    assert layers.place_of("gradients/grad_ys_0") is None
    assert layers.place_of("no such thing") is None


def test_filters(recording: Open) -> None:
    graph = recording("v2").graph
    layers, ops = Outline(graph, ops=False), Outline(graph, ops=True)
    kept = [layers.leaves[place] for place in layers.filtered(OutlineFilter.RELU)]
    assert [leaf.name for leaf in kept] == [x.name for x in graph.layers if x.type == "Relu"]
    kept = [layers.leaves[place] for place in layers.filtered(OutlineFilter.PARAMETERS)]
    with_variables = [layer.name for layer in graph.layers if layer.variables]
    assert [leaf.name for leaf in kept] == with_variables
    for only in (OutlineFilter.FORWARD, OutlineFilter.BACKWARD, OutlineFilter.OPTIMIZER):
        chosen = [ops.leaves[place].name for place in ops.filtered(only)]
        assert chosen == [op.name for op in graph.ops if op.phase == only.value]
    assert list(layers.filtered(OutlineFilter.BACKWARD)) == []


def test_too_many_children_are_divided_into_parts() -> None:
    count = 3 * MOST_CHILDREN + 7
    outline = Outline(graph_of([f"op{at}" for at in range(count)]), ops=True)
    roots = outline.roots(outline.filtered())
    assert len(roots) == 4
    assert roots[0].label == f"op0 … op{MOST_CHILDREN - 1}"
    assert [len(node.members) for node in roots] == [MOST_CHILDREN] * 3 + [7]
    assert [len(outline.children(node)) for node in roots] == [MOST_CHILDREN] * 3 + [7]
    way = outline.path_to(count - 1, outline.filtered())
    assert [node.label for node in way][1:] == [f"op{count - 1}"]
