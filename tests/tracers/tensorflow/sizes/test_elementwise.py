"""Dependences of elementwise ops are the same with and without trying sizes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.sizes.elementwise import elementwise
from resnet_inspect.tracers.tensorflow.sizes.op_types import BROADCAST, MERGED, UNARY
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import Probe, Scratch
from resnet_inspect.tracers.tensorflow.sizes.trials import find_dependences

Shape = tuple[int | None, ...] | None
SHAPES: tuple[Shape, ...] = ((), (5,), (2, 3), (4, 4), (1, 6), (None, 3), (None, None, 2), (2, 0))
PAIRS: tuple[tuple[Shape, Shape], ...] = (
    *((shape, shape) for shape in SHAPES),
    *(((2, 3, 4), (4,)), ((4,), (2, 3, 4)), ((3, 3, 3), (3, 3)), ((), (2, 3)), ((6, 6), ())),
    *(((None, 7), (7,)), ((5, None), (None,)), ((2, 3), (1, 3)), ((1, 1), (1, 1))),
    *(((None, 3), (8, 3)), ((None, 3), (1, 3)), (None, (2, 3)), ((2, 2), (2,))),
)
BOOL = ("LogicalAnd", "LogicalNot", "LogicalOr")


def probed(kind: str, *shapes: Shape, shared: bool = False) -> tuple[Probe, list[Shape]]:
    """Return a probe of an op on inputs of these shapes, and the op's output shapes."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.capture.graph_capture import _translate

    with tf.Graph().as_default() as graph:
        dtype = tf.bool if kind in BOOL else tf.float32
        inputs: list[Any] = [tf.compat.v1.placeholder(dtype, shape) for shape in shapes]
        inputs = [inputs[0]] * 2 if shared else inputs
        make = getattr(tf.raw_ops, kind)
        names = list(inspect.signature(make).parameters)
        kwargs = {"inputs": inputs} if kind == "AddN" else dict(zip(names, inputs, strict=False))
        if kind == "Cast":
            kwargs["DstT"] = tf.float64
        op = make(**kwargs).op
    nodes = graph.as_graph_def(add_shapes=True).node
    translated = _translate(graph.get_operations(), nodes, lambda _: Phase.OTHER)
    ops = {made.name: made for made in translated}
    outputs = [spec.shape for spec in ops[op.name].outputs]
    return Probe(ops[op.name], ops, {}, Scratch()), outputs


def known(probe: Probe, outputs: list[Shape]) -> bool:
    """Return whether the dependences are known without trying; check them against trying."""
    dependences = elementwise(probe)
    if dependences is not None:
        assert dependences == find_dependences(probe, outputs)
    return dependences is not None


@pytest.mark.parametrize("kind", sorted(UNARY))
def test_the_output_has_the_shape_of_the_input(kind: str) -> None:
    assert [known(*probed(kind, shape)) for shape in SHAPES] == [True] * 7 + [False]


@pytest.mark.parametrize("kind", sorted(MERGED))
def test_inputs_of_the_same_shape(kind: str) -> None:
    assert [known(*probed(kind, shape, shape)) for shape in SHAPES] == [True] * 7 + [False]
    assert known(*probed(kind, (4, 3), shared=True))
    if kind == "AddN":
        assert all(known(*probed(kind, *[shape] * 3)) for shape in SHAPES[:-1])
    assert not known(*probed(kind, (None, 3), (2, 3)))


@pytest.mark.parametrize("kind", sorted(BROADCAST))
def test_inputs_that_are_broadcast(kind: str) -> None:
    results = [known(*probed(kind, *pair)) for pair in PAIRS]
    assert results == [True] * 4 + [False] + [True] * 2 + [False] + [True] * 7 + [False] * 5 + [
        True
    ]
    assert known(*probed(kind, (1, 3), shared=True))


def test_other_ops_are_tried() -> None:
    assert not known(*probed("Softmax", (2, 3)))
    assert not known(*probed("MatMul", (2, 2), (2, 2)))
