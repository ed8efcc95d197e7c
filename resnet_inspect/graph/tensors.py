"""Tensors as a graph knows them: which op made them, and what shape and type they have."""

from __future__ import annotations

import math

import msgspec

Shape = tuple[int | None, ...] | None

DTYPE_BYTES = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}


class TensorSpec(msgspec.Struct, frozen=True, gc=False):
    """Shape and element type; an unknown dimension is None, an unknown rank is a shape of None."""

    shape: Shape
    dtype: str

    @property
    def elements(self) -> int | None:
        """Number of elements, or None where a dimension or the rank is unknown."""
        if self.shape is None or None in self.shape:
            return None
        return math.prod(size for size in self.shape if size is not None)

    @property
    def bytes(self) -> int | None:
        """Memory of the tensor in bytes, or None where shape or element size is unknown."""
        size = DTYPE_BYTES.get(self.dtype)
        return None if self.elements is None or size is None else self.elements * size


class TensorRef(msgspec.Struct, frozen=True, gc=False, order=True):
    """The output number `index` of the op named `op`."""

    op: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.op}:{self.index}"


class AxisRef(msgspec.Struct, frozen=True, gc=False, order=True):
    """One axis of one tensor, counted from 0."""

    tensor: TensorRef
    axis: int

    def __str__(self) -> str:
        return f"{self.tensor} axis {self.axis}"


def spell_shape(shape: Shape) -> str:
    """Write a shape as 128×32×32×16; a scalar is `scalar`, an unknown size `?`, an unknown rank
    `unknown`.
    """
    if shape is None:
        return "unknown"
    return "×".join("?" if size is None else str(size) for size in shape) or "scalar"
