"""Shapes, sizes and names of tensors."""

import pytest

from resnet_inspect.graph import AxisRef, TensorRef, TensorSpec, spell_shape
from resnet_inspect.graph.tensors import Shape


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((128, 32, 32, 16), "128×32×32×16"),
        ((None, 10), "?×10"),
        ((7,), "7"),
        ((0, 3), "0×3"),
        ((), "scalar"),
        (None, "unknown"),
    ],
)
def test_spelled_shapes(shape: Shape, text: str) -> None:
    assert spell_shape(shape) == text


@pytest.mark.parametrize(
    ("shape", "dtype", "elements", "size"),
    [
        ((2, 3, 4), "float32", 24, 96),
        ((2, 3), "bfloat16", 6, 12),
        ((5,), "complex128", 5, 80),
        ((), "int64", 1, 8),
        ((0, 7), "float64", 0, 0),
        ((4,), "bool", 4, 4),
        ((4,), "resource", 4, None),
        ((None, 3), "float32", None, None),
        ((0, None), "float32", None, None),
        (None, "float32", None, None),
    ],
)
def test_elements_and_bytes(
    shape: Shape, dtype: str, elements: int | None, size: int | None
) -> None:
    spec = TensorSpec(shape, dtype)
    assert (spec.elements, spec.bytes) == (elements, size)


def test_references_are_spelled_and_ordered() -> None:
    ref = TensorRef("conv1/BiasAdd", 1)
    assert str(ref) == "conv1/BiasAdd:1"
    assert str(TensorRef("x")) == "x:0"
    assert str(AxisRef(ref, 3)) == "conv1/BiasAdd:1 axis 3"
    assert sorted([TensorRef("b"), ref, TensorRef("a", 2), TensorRef("a")]) == [
        TensorRef("a"),
        TensorRef("a", 2),
        TensorRef("b"),
        ref,
    ]
