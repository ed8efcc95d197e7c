"""Shortcuts: two data paths that separate and meet in a sum or concatenation."""

from __future__ import annotations

import pytest

from resnet_inspect.analysis.diagram.diagram import Box, Edge, EdgeKind, Node
from resnet_inspect.analysis.diagram.shortcuts import shortcuts


def ways_of(
    types: dict[str, str], pairs: str, shape: tuple[int, ...] = (8,)
) -> dict[str, EdgeKind]:
    """Return the shortcuts among boxes of these op types, in order, with edges such as `a>b`."""
    nodes = [
        Node(name, Box.INPUT if kind == "Placeholder" else Box.OP, name, kind, shape=shape)
        for name, kind in types.items()
    ]
    ends = [pair.split(">") for pair in pairs.split()]
    edges = [Edge(tail, head, EdgeKind.DATA, tail, shape) for tail, head in ends]
    ways, _ = shortcuts(nodes, edges)
    return {pairs.split()[at]: way for at, way in ways.items()}


def test_parameters_of_a_normalization_are_no_shortcut() -> None:
    types = {
        "x": "Placeholder", "read1": "ReadVariableOp", "read2": "ReadVariableOp",
        "add": "AddV2", "rsqrt": "Rsqrt", "mul": "Mul", "mul1": "Mul", "mul2": "Mul",
        "sub": "Sub", "out": "AddV2",
    }  # fmt: skip
    pairs = (
        "read1>add add>rsqrt rsqrt>mul read2>mul x>mul1 mul>mul1 mul>mul2 read1>mul2 mul2>sub"
        " mul1>out sub>out"
    )
    assert ways_of(types, pairs) == {}


def test_two_inputs_that_meet_are_no_shortcut() -> None:
    types = {"a": "Placeholder", "b": "Placeholder", "relu": "Relu", "add": "AddV2"}
    assert ways_of(types, "a>relu relu>add b>add") == {}


@pytest.mark.parametrize(("join", "counts"), [("AddV2", True), ("ConcatV2", True), ("Mul", False)])
def test_where_paths_meet(join: str, counts: bool) -> None:
    types = {"a": "Placeholder", "relu": "Relu", "end": join}
    assert ways_of(types, "a>relu relu>end a>end") == (
        {"a>end": EdgeKind.RESIDUAL} if counts else {}
    )


def test_the_kernel_of_a_projection_is_not_on_its_path() -> None:
    types = {
        "a": "Placeholder", "k": "ReadVariableOp", "short": "Conv2D", "one": "Conv2D",
        "two": "Relu", "end": "AddV2",
    }  # fmt: skip
    ways = ways_of(types, "a>short k>short a>one one>two two>end short>end")
    assert ways == {"a>short": EdgeKind.PROJECTION, "short>end": EdgeKind.PROJECTION}


def test_a_branch_with_other_inputs_is_no_projection() -> None:
    types = {
        "a": "Placeholder", "b": "Placeholder", "mul": "Mul", "one": "Conv2D", "two": "Relu",
        "end": "AddV2",
    }  # fmt: skip
    assert ways_of(types, "a>mul b>mul a>one one>two two>end mul>end") == {}


@pytest.mark.parametrize(("join", "counts"), [("AddV2", True), ("ConcatV2", False)])
def test_parallel_branches_of_a_concatenation_are_no_shortcuts(join: str, counts: bool) -> None:
    types = {"a": "Placeholder", "short": "Conv2D", "one": "Conv2D", "two": "Relu", "end": join}
    ways = ways_of(types, "a>short a>one one>two two>end short>end")
    assert bool(ways) == counts


def test_the_second_output_of_a_box_is_no_identity() -> None:
    nodes = [Node(name, Box.OP, name, kind, shape=(8,)) for name, kind in [
        ("a", "Split"), ("relu", "Relu"), ("end", "AddV2"),
    ]]  # fmt: skip
    ends = [("a", "relu", "a:0"), ("relu", "end", "relu:0"), ("a", "end", "a:1")]
    edges = [Edge(tail, head, EdgeKind.DATA, tensor, (8,)) for tail, head, tensor in ends]
    assert shortcuts(nodes, edges) == ({}, set())


def test_an_embedding_is_no_projection() -> None:
    shapes = {"a": (8,), "short": (8, 4), "one": (8, 4), "two": (8, 4), "end": (8, 4)}
    nodes = [Node(name, Box.OP, name, "AddV2" if name == "end" else "Op", shape=shape)
             for name, shape in shapes.items()]  # fmt: skip
    pairs = [("a", "short"), ("a", "one"), ("one", "two"), ("two", "end"), ("short", "end")]
    edges = [Edge(tail, head, EdgeKind.DATA, tail, shapes[tail]) for tail, head in pairs]
    assert shortcuts(nodes, edges) == ({}, set())
