"""Places in a network: the subject of a finding, and its row in trees and box in diagrams."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from resnet_inspect.graph.network import Graph


class PlaceKind(StrEnum):
    """The kind of a place.

    TRAINING is the whole run. OTHER is no part of the graph: a scalar, an array of the batch, or an
    op that was not created.
    """

    TRAINING = "training"
    LAYER = "layer"
    OP = "op"
    TENSOR = "tensor"
    VARIABLE = "variable"
    OTHER = "other"


class Place(msgspec.Struct, frozen=True):
    """A place by its name; for a tensor, `name` is its op and `output` its output index."""

    kind: PlaceKind = PlaceKind.TRAINING
    name: str = ""
    output: int = 0

    def __str__(self) -> str:
        """The name, `conv1/BiasAdd:0` for a tensor, empty for the whole run."""
        return f"{self.name}:{self.output}" if self.kind is PlaceKind.TENSOR else self.name


class PlaceMarks(NamedTuple):
    """The row and the boxes that mark a place.

    `row` is the layer or op whose row a tree marks, empty for none; `boxes` are names that a box
    of the place may have in a diagram.
    """

    row: str
    boxes: frozenset[str]


def place_named(graph: Graph, name: str) -> Place:
    """The place with a name; the whole run for an empty name."""
    if not name:
        return Place()
    if name in graph.layer_by_name:
        return Place(PlaceKind.LAYER, name)
    if name in graph.op_by_name:
        return Place(PlaceKind.OP, name)
    op, _, output = name.rpartition(":")
    if op in graph.op_by_name and output.isdecimal():
        return Place(PlaceKind.TENSOR, op, int(output))
    kind = PlaceKind.VARIABLE if name in graph.variable_by_name else PlaceKind.OTHER
    return Place(kind, name)


def marked(graph: Graph, place: Place) -> PlaceMarks:
    """The row and the boxes that mark a place, which may be of another graph."""
    name, boxes = place.name, {place.name} - {""}
    if place.kind is PlaceKind.LAYER and name in graph.layer_by_name:
        return PlaceMarks(name, frozenset({*boxes, graph.layer_by_name[name].main}))
    if place.kind in (PlaceKind.OP, PlaceKind.TENSOR) and name in graph.op_by_name:
        owner = graph.layer_of_op.get(name)
        return PlaceMarks(name, frozenset(boxes if owner is None else {*boxes, owner.name}))
    if place.kind is PlaceKind.VARIABLE and name in graph.variable_by_name:
        owners = {layer.name for layer in graph.layers if name in layer.variables}
        return PlaceMarks(_row_of_variable(graph, name), frozenset(boxes | owners))
    return PlaceMarks("", frozenset(boxes))


def _row_of_variable(graph: Graph, name: str) -> str:
    """The first layer or op that uses a variable: trees have no rows for variables."""
    variable = graph.variable_by_name[name]
    users = (*variable.handles, *variable.readers)
    owners = [graph.layer_of_op[op].name for op in users if op in graph.layer_of_op]
    return next(iter((*owners, *users)), "")
