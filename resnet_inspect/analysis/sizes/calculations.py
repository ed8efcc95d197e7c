"""Spells how an op computes a size from others: 16 + 8, 7 × 7 × 64, 24 / 4, (17 − 3) / 2 + 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

SUMS = frozenset(("ConcatV2", "Concat", "Pad", "PadV2", "MirrorPad"))
PRODUCTS = frozenset(("Reshape", "Tile", "Empty"))
CONVOLUTIONS = frozenset(("Conv2D", "Conv3D", "DepthwiseConv2dNative"))
TRANSPOSED = frozenset(("Conv2DBackpropInput", "Conv3DBackpropInputV2"))


def calculation(
    op_type: str, size: int | None, terms: Sequence[int | None], stride: int = 1
) -> str:
    """Return the calculation of `size` by an op of this type, or an empty text if it is unknown.

    `stride` is that of a convolution along the axis.
    """
    numbers = [term for term in terms if term is not None]
    if size is None or len(numbers) < len(terms) or not numbers:
        return ""
    if op_type in SUMS and len(numbers) > 1 and sum(numbers) == size:
        return " + ".join(map(str, numbers))
    if op_type in PRODUCTS and len(numbers) > 1 and math.prod(numbers) == size:
        return " × ".join(map(str, numbers))
    if op_type in CONVOLUTIONS and len(numbers) == 2:
        return _positions(size, numbers[0], numbers[1], stride)
    if op_type in TRANSPOSED and len(numbers) == 2:
        return _reached(size, numbers[0], numbers[1], stride)
    if op_type == "StridedSlice" and len(numbers) == 2 and abs(numbers[0] - numbers[1]) == size:
        return f"{max(numbers)} − {min(numbers)}"
    if op_type == "Reshape" and len(numbers) > 1 and size and math.prod(numbers) % size == 0:
        return f"{' × '.join(map(str, numbers))} / {math.prod(numbers) // size}"
    if len(numbers) == 1 and size and numbers[0] > size and numbers[0] % size == 0:
        return f"{numbers[0]} / {numbers[0] // size}"
    if len(numbers) == 1 and numbers[0] and size > numbers[0] and size % numbers[0] == 0:
        return f"{size // numbers[0]} × {numbers[0]}"
    return ""


def _reached(size: int, length: int, window: int, stride: int) -> str:
    """Return the length that windows reach at `length` positions without padding."""
    if size == (length - 1) * stride + window:
        return f"({length} − 1) × {stride} + {window}" if stride > 1 else f"{length} + {window} − 1"
    return f"{stride} × {length}" if size == stride * length else ""


def _positions(size: int, length: int, window: int, stride: int) -> str:
    """Return the number of positions of a window without padding and dilation."""
    span = length - window
    if size != span // stride + 1:
        return ""
    if stride == 1:
        return f"{length} − {window} + 1"
    steps = f"({length} − {window}) / {stride}"
    return f"{steps} + 1" if span % stride == 0 else f"⌊{steps}⌋ + 1"
