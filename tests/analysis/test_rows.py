"""The rows of a Reshape, and the tensors whose axis 0 is the batch."""

from __future__ import annotations

import pytest

from resnet_inspect.analysis.sizes.rows import RowChange, batch_first, rows
from resnet_inspect.graph import Graph, TensorRef
from tests.analysis.check.synthetic import op

Sizes = tuple[int | None, ...]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ((16, 6, 6, 8), (16, 288), RowChange.SAME),
        ((None, 6, 6, 8), (None, 36, 8), RowChange.SAME),
        ((16, 6, 6, 8), (576, 8), RowChange.POSITIONS),
        ((16, 6, 6, 8), (96, 6, 8), RowChange.POSITIONS),
        ((16, 6, 6, 8), (4608, 1), RowChange.POSITIONS),
        ((16, 6, 6, 8), (48, 96), RowChange.PARTS),
        ((16, 6, 6, 8), (64, 72), RowChange.ACROSS),
        ((None, 8, 8, 64), (None, 1024), RowChange.PARTS),
        ((16, 6, 6, 8), (4, 1152), RowChange.SEVERAL),
        ((16, 784), (448, 28), RowChange.PARTS),
    ],
)
def test_rows_of_a_reshape(before: Sizes, after: Sizes, change: RowChange) -> None:
    reshape = op("reshape", "Reshape", "x", shape=after)
    result = rows(Graph((op("x", "Placeholder", shape=before), reshape)), reshape)
    assert result is not None
    assert result.change is change


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("Transpose", (16, 6), (6, 16)),
        ("Reshape", (16, None), (4, 24)),
        ("Reshape", (16, 6), (4, None)),
        ("Reshape", (), (1,)),
    ],
)
def test_rows_are_unknown_without_sizes(kind: str, before: Sizes, after: Sizes) -> None:
    reshape = op("reshape", kind, "x", shape=after)
    assert rows(Graph((op("x", "Placeholder", shape=before), reshape)), reshape) is None


@pytest.mark.parametrize("batch", [16, None])
def test_axis_0_stays_the_batch_until_an_op_moves_it(batch: int | None) -> None:
    graph = Graph(
        (
            op("x", "Placeholder", shape=(batch, 6, 8)),
            op("relu", "Relu", "x", shape=(batch, 6, 8)),
            op("flat", "Reshape", "relu", shape=(batch, 48)),
            op("kernel", "ReadVariableOp", shape=(48, 3)),
            op("dense", "MatMul", "flat", "kernel", shape=(batch, 3)),
            op("moved", "Transpose", "relu", shape=(6, batch, 8)),
            op("positions", "Reshape", "relu", shape=(batch and 96, 8)),
            op("scores", "MatMul", "positions", "kernel", shape=(batch and 96, 3)),
            op("shape", "Shape", "x", shape=(3,)),
        ),
        inputs={"x": TensorRef("x")},
        axes={"x": ("batch", "", "")},
    )
    assert {ref.op for ref in batch_first(graph)} == {"x", "relu", "flat", "dense"}


def test_inputs_without_meaning_or_of_different_batches_are_not_followed() -> None:
    ops = (op("x", "Placeholder", shape=(16, 4)), op("relu", "Relu", "x", shape=(16, 4)))
    graph = Graph(ops, inputs={"x": TensorRef("x")})
    assert batch_first(graph) == frozenset()
    other = op("z", "Placeholder", shape=(8, 4))
    names = {"x": TensorRef("x"), "z": TensorRef("z")}
    two = Graph((*ops, other), inputs=names, axes={"x": ("batch", ""), "z": ("batch", "")})
    assert {ref.op for ref in batch_first(two)} == {"x", "z"}
