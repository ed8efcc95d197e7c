"""Merged graphs: nothing is lost or duplicated, and unmatched parts of B are in order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings

from resnet_inspect.analysis.diff.alignment import align
from resnet_inspect.analysis.diff.union import MergedGraph, merge_graphs
from resnet_inspect.graph import Graph
from resnet_inspect.store.run import Run
from tests.analysis.chains import graphs
from tests.recordings import TRAINED

RECORDINGS = ("v1", "v2", "mean_axes", "filters", "own", "own_model", *TRAINED)


def union_of(a: Graph, b: Graph, *, every_op: bool = False) -> MergedGraph:
    return merge_graphs(a, b, align(a, b, every_op=every_op), every_op=every_op)


@given(graphs(), graphs())
@settings(max_examples=60, deadline=None)
def test_all_of_both_is_there_once_and_in_order(a: Graph, b: Graph) -> None:
    alignment = align(a, b, every_op=True)
    union = merge_graphs(a, b, alignment, every_op=True)
    names = [op.name for op in union.graph.ops]
    assert len(names) == len(set(names))
    assert [op for op in union.graph.ops if op.name not in union.ops] == list(a.ops)
    partners = {name_b: name_a for name_a, name_b in alignment.ops.items()}
    here = {there: name for name, there in union.ops.items()}
    assert set(partners) | set(here) == {op.name for op in b.ops}
    for before, after in pairwise(op.name for op in b.ops):
        if after in here and (before in here or before in partners):
            at = names.index(here.get(before) or partners[before])
            assert at < names.index(here[after])


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_graph_and_itself_are_that_graph(name: str, recording: Callable[[str], Run]) -> None:
    graph = recording(name).graph
    union = union_of(graph, graph, every_op=True)
    assert union.graph.ops == graph.ops
    assert union.graph.layers == graph.layers
    assert union.graph.variables == graph.variables
    assert not {**union.layers, **union.ops, **union.variables}


def test_version_2_in_version_1(recording: Callable[[str], Run]) -> None:
    a, b = recording("v1").graph, recording("v2").graph
    union = union_of(a, b)
    names = [layer.name for layer in union.graph.layers]
    assert set(union.layers) == {layer.name for layer in b.layers} - {x.name for x in a.layers}
    assert names.index("relu00_branch2b") == names.index("bn00_branch2b") + 1
    assert names.index("add00") == names.index("relu00_branch2b") + 1
    tail = ["relu20", "pre_activation_final_norm", "relu_final", "final_reduce_mean"]
    at = names.index("relu20")
    assert names[at : at + 4] == tail
    only_b = union.graph.layer_by_name["pre_activation_final_norm"]
    assert only_b.path == b.layer_by_name["pre_activation_final_norm"].path
    assert set(only_b.variables) <= set(union.variables) != set()
    assert all(name in union.graph.op_by_name for name in only_b.ops)


def test_a_name_that_a_uses_otherwise_is_changed(
    recording: Callable[[str], Run],
) -> None:
    a, b = recording("v2").graph, recording("own_model").graph
    union = union_of(a, b, every_op=True)
    taken = {name for name, there in union.ops.items() if name != there}
    assert taken == {f"{there} (B)" for there in union.ops.values() if there in a.op_by_name}
