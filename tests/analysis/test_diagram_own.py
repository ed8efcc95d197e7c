"""Diagrams of a user's model: orders of execution, a shared variable, no layers, updates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.errors import UsageError
from resnet_inspect.render.diagram.dot import dot
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]
CHECK = "guard/VerifyFinite/CheckNumerics"
WAITED = "guard/VerifyFinite/control_dependency"
COUNTER = "guard/AssignAddVariableOp"


def ways(made: Diagram, way: EdgeKind) -> set[tuple[str, str]]:
    names = {node.id: "/".join((*node.path, node.name)) for node in made.nodes}
    if made.level in (Level.LAYER, Level.OP):
        names = {node.id: node.name for node in made.nodes}
    return {(names[edge.tail], names[edge.head]) for edge in made.edges if edge.way == way}


def made_of(run: Run, level: Level, *, variables: bool = False, backward: bool = False) -> Diagram:
    options = Options(level=level, variables=variables, backward=backward)
    return draw(run.graph, run.lineage, options)


@pytest.mark.parametrize("level", [Level.LAYER, Level.OP])
def test_an_order_is_a_separate_edge(recording: Open, level: Level) -> None:
    made = made_of(recording("own"), level)
    orders = {(CHECK, WAITED), (WAITED, "joined/Add"), (COUNTER, "joined/Add")}
    assert ways(made, EdgeKind.CONTROL) == orders
    lines = [line for line in dot(made, DiagramStyle()).splitlines() if "class=control" in line]
    assert len(lines) == 3
    assert all("style=dashed" in line and 'label=""' in line for line in lines)
    assert "╌╌ control dependency" in dot(made, DiagramStyle())


@pytest.mark.parametrize("level", [Level.BLOCK, Level.STAGE])
def test_orders_between_blocks_and_stages(recording: Open, level: Level) -> None:
    made = made_of(recording("own"), level)
    assert ways(made, EdgeKind.CONTROL) == {("guard", "joined")}
    assert ways(made, EdgeKind.DATA) == {
        ("x", "first"), ("first", "second"), ("first", "guard"), ("first", "joined"),
        ("second", "joined"),
    }  # fmt: skip


def test_an_order_with_data_has_one_edge(recording: Open) -> None:
    made = made_of(recording("v2"), Level.LAYER, backward=True)
    pairs = [(edge.tail, edge.head) for edge in made.edges if edge.way != EdgeKind.CONTROL]
    assert not set(pairs) & {(e.tail, e.head) for e in made.edges if e.way == EdgeKind.CONTROL}


@pytest.mark.parametrize(
    ("level", "readers"),
    [
        (Level.STAGE, {"first", "second"}),
        (Level.BLOCK, {"first", "second"}),
        (Level.OP, {"first/MatMul/ReadVariableOp", "second/MatMul/ReadVariableOp"}),
    ],
)
def test_a_shared_variable_is_one_box_with_two_readers(
    recording: Open, level: Level, readers: set[str]
) -> None:
    made = made_of(recording("own"), level, variables=True)
    shared = [node for node in made.nodes if node.box == Box.VARIABLE and node.name == "shared"]
    assert [(node.shape, node.path) for node in shared] == [((4, 4), ())]
    read = {head for tail, head in ways(made, EdgeKind.VARIABLE) if tail.endswith("shared")}
    assert read == readers
    assert ways(made_of(recording("own"), level), EdgeKind.VARIABLE) == set()
    lines = [line for line in dot(made, DiagramStyle()).splitlines() if "class=variable" in line]
    assert sum("->" in line and "style=dotted" in line for line in lines) == 3


def test_a_group_with_ops_of_its_own_is_one_block(recording: Open) -> None:
    made = made_of(recording("own"), Level.BLOCK)
    places = {(node.path, node.name) for node in made.nodes if node.box == Box.BLOCK}
    assert places == {((), "first"), ((), "second"), ((), "guard"), ((), "joined")}


def test_updates_of_variables_wait_for_the_forward_pass(recording: Open) -> None:
    run = recording("v2")
    made = draw(run.graph, run.lineage, Options(Level.OP, scope="Momentum/update_conv1"))
    updates = {f"Momentum/update_conv1/{part}" for part in ("kernel", "bias")}
    assert {node.name for node in made.nodes if not node.outside} == updates
    assert ways(made, EdgeKind.CONTROL) == {
        ("conv1/Conv2D/ReadVariableOp", "Momentum/update_conv1/kernel"),
        ("conv1/BiasAdd/ReadVariableOp", "Momentum/update_conv1/bias"),
    }
    assert any("ops outside that must run before this part" in note for note in made.notes)
    options = Options(Level.OP, scope="Momentum/update_conv1", backward=True, variables=True)
    whole = draw(run.graph, run.lineage, options)
    assert {head for _, head in ways(whole, EdgeKind.GRADIENT)} == updates
    kernel = "Momentum/update_conv1/kernel"
    read = {tail for tail, head in ways(whole, EdgeKind.VARIABLE) if head == kernel}
    assert read == {"conv1/kernel", "conv1/kernel/Momentum"}


def test_a_scope_of_gradients_needs_no_option(recording: Open) -> None:
    run = recording("v2")
    made = draw(run.graph, run.lineage, Options(scope="gradients/dense1"))
    assert {node.box for node in made.nodes if not node.outside} == {Box.GRADIENT}


def test_a_scope_without_boxes_is_rejected(recording: Open) -> None:
    run = recording("v2")
    with pytest.raises(UsageError, match="no part of 'Momentum/update_conv1/kernel/accum'"):
        draw(run.graph, run.lineage, Options(scope="Momentum/update_conv1/kernel/accum"))
