"""Places of findings: their names, and the rows and boxes that are marked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect.graph import Place, PlaceKind, marked, place_named
from resnet_inspect.graph.places import PlaceMarks
from resnet_inspect.store.run import Run

CASES = {
    "": Place(),
    "conv1": Place(PlaceKind.LAYER, "conv1"),
    "conv1/kernel": Place(PlaceKind.VARIABLE, "conv1/kernel"),
    "logits": Place(PlaceKind.OTHER, "logits"),
}


@pytest.mark.parametrize("name", CASES)
def test_names_are_places_and_places_are_written_as_names(
    name: str, recording: Callable[[str], Run]
) -> None:
    place = place_named(recording("v2").graph, name)
    assert place == CASES[name]
    assert str(place) == name


def test_an_op_and_its_tensor_are_marked_at_the_op_and_its_layer(
    recording: Callable[[str], Run],
) -> None:
    graph = recording("v2").graph
    main = graph.layer_by_name["conv1"].main
    op, tensor = place_named(graph, main), place_named(graph, f"{main}:0")
    assert (op.kind, tensor.kind) == (PlaceKind.OP, PlaceKind.TENSOR)
    assert str(tensor) == f"{main}:0"
    assert (
        marked(graph, op) == marked(graph, tensor) == PlaceMarks(main, frozenset({main, "conv1"}))
    )
    assert marked(graph, place_named(graph, "conv1")) == PlaceMarks(
        "conv1", frozenset({main, "conv1"})
    )


def test_a_variable_is_marked_at_its_layers(recording: Callable[[str], Run]) -> None:
    graph = recording("v2").graph
    place = place_named(graph, "conv1/kernel")
    assert marked(graph, place) == PlaceMarks("conv1", frozenset({"conv1", "conv1/kernel"}))


def test_places_outside_the_graph_have_no_row(recording: Callable[[str], Run]) -> None:
    graph = recording("v2").graph
    elsewhere = Place(PlaceKind.LAYER, "only in another graph")
    assert marked(graph, elsewhere) == PlaceMarks("", frozenset({elsewhere.name}))
    assert marked(graph, Place()) == PlaceMarks("", frozenset())
    assert marked(graph, place_named(graph, "loss of nothing")) == PlaceMarks(
        "", frozenset({"loss of nothing"})
    )
