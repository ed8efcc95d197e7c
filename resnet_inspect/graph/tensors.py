"""References to tensors in a graph, and their shapes and types."""

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


class MeasuredSize(int):
    """A size that differs between steps, as measured in one step, and written as its name.

    Attributes:
        name: such as `batch`; `?` if the size has no name.
        steps: its sizes in the recorded steps, such as `8 here, 5 in the last`.
    """

    name: str
    steps: str

    def __new__(cls, size: int, name: str = "?", steps: str = "") -> MeasuredSize:
        """Return the size `size` with this name."""
        measured = super().__new__(cls, size)
        measured.name, measured.steps = name, steps
        return measured

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The name with the sizes, such as `batch (8 here, 5 in the last)`."""
        return f"{self.name} ({self.steps or f'{int(self)} here'})"


class TensorSpec(msgspec.Struct, frozen=True, gc=False):
    """Shape and element type; None for an unknown dimension, and as `shape` for an unknown rank."""

    shape: Shape
    dtype: str

    @property
    def elements(self) -> int | None:
        """Number of elements; None if a dimension or the rank is unknown."""
        if self.shape is None or None in self.shape:
            return None
        return math.prod(size for size in self.shape if size is not None)

    @property
    def bytes(self) -> int | None:
        """Size in bytes; None if the shape or the element size is unknown."""
        size = DTYPE_BYTES.get(self.dtype)
        return None if self.elements is None or size is None else self.elements * size


class TensorRef(msgspec.Struct, frozen=True, gc=False, order=True):
    """A tensor: output `index`, from 0, of the op named `op`."""

    op: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.op}:{self.index}"


class AxisRef(msgspec.Struct, frozen=True, gc=False, order=True):
    """An axis of a tensor, counted from 0."""

    tensor: TensorRef
    axis: int

    def __str__(self) -> str:
        return f"{self.tensor} axis {self.axis}"


def spell_shape(shape: Shape) -> str:
    """A shape as text, such as 128×32×32×16 or batch×32×32×16.

    A scalar is `scalar`, an unknown dimension `?`, an unknown rank `unknown`.
    """
    if shape is None:
        return "unknown"
    return "×".join("?" if size is None else str(size) for size in shape) or "scalar"
