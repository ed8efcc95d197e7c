"""Details agree with their graph and with the shape table."""

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
        detail = details.layer(row.name)
        assert (detail.params, detail.trainable_params) == (row.params, row.trainable_params)
        assert (detail.macs, detail.window, detail.type) == (row.macs, row.window, row.type)
        assert tuple(end.spec.shape for end in detail.inputs if end.spec) == row.inputs
    for row in shapes(run.graph, Depth.OP).rows:
        of_op = details.op(row.name)
        assert (of_op.params, of_op.trainable_params) == (row.params, row.trainable_params)
        assert of_op.window == row.window


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_consumers_have_the_same_edges(recording: Open, name: str) -> None:
    graph = recording(name).graph
    details = Details(graph, Lineage())
    edges, back, orders, ordered = set(), set(), set(), set()
    for op in graph.ops:
        detail = details.op(op.name)
        edges |= {(str(end.tensor), op.name) for end in detail.inputs}
        back |= {(str(end.tensor), end.name) for end in detail.consumers}
        orders |= {(end.name, op.name) for end in detail.control_inputs}
        ordered |= {(op.name, end.name) for end in detail.control_consumers}
    assert edges == back == {(str(ref), op.name) for op in graph.ops for ref in op.inputs}
    assert orders == ordered == {(x, op.name) for op in graph.ops for x in op.control_inputs}
    assert edges


def test_neighbours_of_a_layer_are_layers(recording: Open) -> None:
    run = recording("v2")
    detail = Details(run.graph, run.lineage).layer("res20_branch2a")
    assert [end.name for end in detail.inputs] == ["relu20_branch2a"]
    assert detail.consumers[0].name == "bn20_branch2b"
    assert detail.outputs[0].axes == ("batch", "height/4", "width/4", "channel")
    assert [use.variable.name for use in detail.variables] == [
        "res20_branch2a/kernel",
        "res20_branch2a/bias",
    ]
    assert detail.params == 3 * 3 * 32 * 64 + 64
    assert detail.variables[0].users[0] == "res20_branch2a"


def test_sums_of_a_scope_are_those_of_the_table(recording: Open) -> None:
    run = recording("v2")
    details = Details(run.graph, run.lineage)
    rows = {row.name: row for row in shapes(run.graph, Depth.STAGE).rows}
    for stage, row in rows.items():
        layers = [layer for layer in run.graph.layers if layer.path[0] == stage]
        detail = details.scope(stage, layers)
        assert (detail.params, detail.macs, detail.layers) == (row.params, row.macs, len(layers))
        assert tuple(end.spec.shape for end in detail.inputs if end.spec) == row.inputs
        assert detail.outputs[-1].spec.shape == row.shape
        assert sum(detail.types.values()) == len(layers)


def test_tensors_that_leave_a_group_of_ops(recording: Open) -> None:
    run = recording("v2")
    ops = [op for op in run.graph.ops if op.phase == Phase.BACKWARD]
    inside = {op.name for op in ops}
    detail = Details(run.graph, run.lineage).scope("backward", ops)
    leaving = {
        ref for op in run.graph.ops if op.name not in inside for ref in op.inputs
        if ref.op in inside
    }  # fmt: skip
    assert {output.ref for output in detail.outputs} == leaving
    entering = {ref for op in ops for ref in op.inputs if ref.op not in inside}
    assert {end.tensor for end in detail.inputs} == entering


def test_a_huge_group_has_only_types() -> None:
    ops = tuple(
        Op(f"op{at}", "Add" if at % 2 else "Mul", inputs=(TensorRef("op0"),) if at else ())
        for at in range(MOST + 2)
    )
    detail = Details(Graph(ops), Lineage()).scope("all", ops)
    assert not detail.whole
    assert detail.types == {"Mul": MOST // 2 + 1, "Add": MOST // 2 + 1}
