"""Places in a network: what a finding is about, and what stands for it in trees and diagrams."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from resnet_inspect.graph.network import Graph


class PlaceKind(StrEnum):
    """TRAINING: the whole run; OTHER: no part of the graph, such as a scalar, an array of the batch
    or an op that was never made.
    """

    TRAINING = "training"
    LAYER = "layer"
    OP = "op"
    TENSOR = "tensor"
    VARIABLE = "variable"
    OTHER = "other"


class Place(msgspec.Struct, frozen=True):
    """A place by its name; of a tensor `name` is that of its op, and `output` its number there."""

    kind: PlaceKind = PlaceKind.TRAINING
    name: str = ""
    output: int = 0

    def __str__(self) -> str:
        """As it is written everywhere: a name, conv1/BiasAdd:0 for a tensor, empty for a run."""
        return f"{self.name}:{self.output}" if self.kind is PlaceKind.TENSOR else self.name


class Marked(NamedTuple):
    """What stands for a place: the layer or op whose row a tree marks, empty for none, and the
    names that boxes of a diagram may have.
    """

    row: str
    boxes: frozenset[str]


def place_named(graph: Graph, name: str) -> Place:
    """The place that a name stands for; the whole run for an empty name."""
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


def marked(graph: Graph, place: Place) -> Marked:
    """What stands for a place in a tree and in a diagram; it may be a place of another graph."""
    name, boxes = place.name, {place.name} - {""}
    if place.kind is PlaceKind.LAYER and name in graph.layer_by_name:
        return Marked(name, frozenset({*boxes, graph.layer_by_name[name].main}))
    if place.kind in (PlaceKind.OP, PlaceKind.TENSOR) and name in graph.op_by_name:
        owner = graph.layer_of_op.get(name)
        return Marked(name, frozenset(boxes if owner is None else {*boxes, owner.name}))
    if place.kind is PlaceKind.VARIABLE and name in graph.variable_by_name:
        owners = {layer.name for layer in graph.layers if name in layer.variables}
        return Marked(_row_of_variable(graph, name), frozenset(boxes | owners))
    return Marked("", frozenset(boxes))


def _row_of_variable(graph: Graph, name: str) -> str:
    """The layer or op that uses a variable first; a variable has no row of its own."""
    variable = graph.variable_by_name[name]
    users = (*variable.handles, *variable.readers)
    owners = [graph.layer_of_op[one].name for one in users if one in graph.layer_of_op]
    return next(iter((*owners, *users)), "")
