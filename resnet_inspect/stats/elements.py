"""Elements of arrays of any numeric type, as the numbers that histograms and moments work on.

Takes bool, integers, floats, and the small floats that frameworks add to NumPy (bfloat16, float8,
int4: whatever turns into float32). float16, bfloat16, integers of at most 16 bits and bool are
exact as float32. Wider numbers are cut towards zero there, which keeps each in the histogram bin
that holds it, and finite ones beyond float32's range become its largest numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

REFUSED = "cmMOSUT"
EXACT_IN_FLOAT64 = np.uint64(2**53)
LOW_BITS = np.uint64(2**11 - 1)


def array_of(values: ArrayLike) -> NDArray[np.generic]:
    """`values` as an array of real numbers, in its own shape and type.

    Raises TypeError for what has no order or is no number: complex, text, dates, objects.
    """
    array: NDArray[np.generic] = np.asarray(values)
    if array.dtype.kind in REFUSED:
        raise TypeError(f"expected real numbers, got {array.dtype}")
    return array


def doubles(values: ArrayLike) -> NDArray[np.float64]:
    """All elements as float64, shape [n]; exact but for integers beyond 2**53 and longdouble."""
    flat = array_of(values).reshape(-1)
    with np.errstate(all="ignore"):
        if flat.dtype.kind == "V":
            return flat.astype(np.float32).astype(np.float64)
        return flat.astype(np.float64, copy=False)


def singles(values: ArrayLike) -> NDArray[np.float32]:
    """All elements as float32, shape [n], in the bins of `stats.bins` that hold them.

    NaN and infinities stay what they are. longdouble is rounded to float64 first.
    """
    flat = array_of(values).reshape(-1)
    with np.errstate(all="ignore"):
        if flat.dtype.kind == "V" or np.can_cast(flat.dtype, np.float32):
            return flat.astype(np.float32, copy=False)
        if flat.dtype.kind == "f":
            return _cut(flat.astype(np.float64, copy=False))
        return _cut(_whole(flat))


def _cut(wide: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each number as the float32 next to it on the side of zero."""
    near = wide.astype(np.float32)
    return np.where(np.abs(near) > np.abs(wide), np.nextafter(near, np.float32(0)), near)


def _whole(flat: NDArray[np.generic]) -> NDArray[np.float64]:
    """Integers as float64 of the same bin: large ones lose low bits instead of being rounded."""
    if flat.dtype.kind == "u":
        return _kept(flat.astype(np.uint64))
    signed = flat.astype(np.int64)
    # The smallest int64 wraps to itself in abs, and read as unsigned it is its own size.
    return np.copysign(_kept(np.abs(signed).view(np.uint64)), signed)


def _kept(size: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Sizes with at most 53 leading bits, which float64 holds exactly."""
    return np.where(size >= EXACT_IN_FLOAT64, size & ~LOW_BITS, size).astype(np.float64)
