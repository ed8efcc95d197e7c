"""The graph of a network: tensors, ops, variables, layers. No framework, files or statistics."""

from resnet_inspect.graph.inlining import Inlined, inlined
from resnet_inspect.graph.network import Failure, Graph, Note
from resnet_inspect.graph.nodes import Group, Layer, Op, Phase, Source, Variable
from resnet_inspect.graph.places import Place, PlaceKind, marked, place_named
from resnet_inspect.graph.tensors import AxisRef, MeasuredSize, TensorRef, TensorSpec, spell_shape
from resnet_inspect.graph.training import Objective, Training

__all__ = [
    "AxisRef",
    "Failure",
    "Graph",
    "Group",
    "Inlined",
    "Layer",
    "MeasuredSize",
    "Note",
    "Objective",
    "Op",
    "Phase",
    "Place",
    "PlaceKind",
    "Source",
    "TensorRef",
    "TensorSpec",
    "Training",
    "Variable",
    "inlined",
    "marked",
    "place_named",
    "spell_shape",
]
