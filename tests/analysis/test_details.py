"""Details against the graph they were drawn from, and against the shape table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect.analysis.browse.details import MOST, Details
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph, Op, Phase, TensorRef
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]
NAMES = ["v1", "v2", "mean_axes", "bn_axis", "filters"]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_the_shape_table(recording: Open, name: str) -> None:
    run = recording(name)
    details = Details(run.graph, run.lineage)
    for row in shapes(run.graph, Depth.LAYER).rows:
        found = details.layer(row.name)
        assert (found.params, found.trainable_params) == (row.params, row.trainable_params)
        assert (found.macs, found.window, found.type) == (row.macs, row.window, row.type)
        assert tuple(one.spec.shape for one in found.inputs if one.spec) == row.inputs
    for row in shapes(run.graph, Depth.OP).rows:
        of_op = details.op(row.name)
        assert (of_op.params, of_op.trainable_params) == (row.params, row.trainable_params)
        assert of_op.window == row.window


@pytest.mark.parametrize("name", NAMES)
def test_edges_of_ops_can_be_walked_both_ways(recording: Open, name: str) -> None:
    graph = recording(name).graph
    details = Details(graph, Lineage())
    edges, back, orders, ordered = set(), set(), set(), set()
    for op in graph.ops:
        found = details.op(op.name)
        edges |= {(str(one.tensor), op.name) for one in found.inputs}
        back |= {(str(one.tensor), one.name) for one in found.consumers}
        orders |= {(one.name, op.name) for one in found.control_inputs}
        ordered |= {(op.name, one.name) for one in found.control_consumers}
    assert edges == back == {(str(ref), op.name) for op in graph.ops for ref in op.inputs}
    assert orders == ordered == {(one, op.name) for op in graph.ops for one in op.control_inputs}
    assert edges


def test_neighbours_of_a_layer_are_layers(recording: Open) -> None:
    run = recording("v2")
    found = Details(run.graph, run.lineage).layer("res20_branch2a")
    assert [one.name for one in found.inputs] == ["relu20_branch2a"]
    assert found.consumers[0].name == "bn20_branch2b"
    assert found.outputs[0].axes == ("batch", "height/4", "width/4", "channel")
    assert [held.variable.name for held in found.variables] == [
        "res20_branch2a/kernel",
        "res20_branch2a/bias",
    ]
    assert found.params == 3 * 3 * 32 * 64 + 64
    assert found.variables[0].users[0] == "res20_branch2a"


def test_sums_of_a_scope_are_those_of_the_table(recording: Open) -> None:
    run = recording("v2")
    details = Details(run.graph, run.lineage)
    rows = {row.name: row for row in shapes(run.graph, Depth.STAGE).rows}
    for stage, row in rows.items():
        layers = [one for one in run.graph.layers if one.path[0] == stage]
        found = details.scope(stage, layers)
        assert (found.params, found.macs, found.layers) == (row.params, row.macs, len(layers))
        assert tuple(one.spec.shape for one in found.inputs if one.spec) == row.inputs
        assert found.outputs[-1].spec.shape == row.shape
        assert sum(found.types.values()) == len(layers)


def test_tensors_that_leave_a_group_of_ops(recording: Open) -> None:
    run = recording("v2")
    ops = [op for op in run.graph.ops if op.phase == Phase.BACKWARD]
    inside = {op.name for op in ops}
    found = Details(run.graph, run.lineage).scope("backward", ops)
    leaving = {
        ref for op in run.graph.ops if op.name not in inside for ref in op.inputs
        if ref.op in inside
    }  # fmt: skip
    assert {output.ref for output in found.outputs} == leaving
    entering = {ref for op in ops for ref in op.inputs if ref.op not in inside}
    assert {one.tensor for one in found.inputs} == entering


def test_of_a_huge_group_only_kinds_are_told() -> None:
    ops = tuple(
        Op(f"op{at}", "Add" if at % 2 else "Mul", inputs=(TensorRef("op0"),) if at else ())
        for at in range(MOST + 2)
    )
    found = Details(Graph(ops), Lineage()).scope("all", ops)
    assert not found.whole
    assert found.types == {"Mul": MOST // 2 + 1, "Add": MOST // 2 + 1}
