"""Converts arrays of any real type to float32 for histograms and to float64 for moments.

Supported are bool, integers, floats, and the small types that frameworks add to NumPy (bfloat16,
float8, int4: all that convert to float32). Conversion of bool, float16, bfloat16 and integers of at
most 16 bits to float32 is exact. Wider numbers are rounded towards zero, which keeps each in its
histogram bin; finite numbers beyond float32's range become its largest numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNSUPPORTED = "cmMOSUT"  # kinds of NumPy types: complex, times, objects, texts
EXACT_IN_FLOAT64 = np.uint64(2**53)
LOW_BITS = np.uint64(2**11 - 1)


def array_of(values: ArrayLike) -> NDArray[np.generic]:
    """`values` as an array of real numbers, in their shape and type.

    Raises TypeError for complex numbers, texts, times and objects.
    """
    array: NDArray[np.generic] = np.asarray(values)
    if array.dtype.kind in UNSUPPORTED:
        raise TypeError(f"expected real numbers, got {array.dtype}")
    return array


def doubles(values: ArrayLike) -> NDArray[np.float64]:
    """All elements as float64, shape [n]; exact except for integers beyond 2**53 and longdouble."""
    flat = array_of(values).reshape(-1)
    with np.errstate(all="ignore"):
        if flat.dtype.kind == "V":
            return flat.astype(np.float32).astype(np.float64)
        return flat.astype(np.float64, copy=False)


def singles(values: ArrayLike) -> NDArray[np.float32]:
    """All elements as float32, shape [n]; each stays in its bin of `stats.bins`.

    NaN and infinities do not change. longdouble is rounded to float64 first.
    """
    flat = array_of(values).reshape(-1)
    with np.errstate(all="ignore"):
        if flat.dtype.kind == "V" or np.can_cast(flat.dtype, np.float32):
            return flat.astype(np.float32, copy=False)
        if flat.dtype.kind == "f":
            return _cut(flat.astype(np.float64, copy=False))
        return _cut(_whole(flat))


def _cut(wide: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each number rounded towards zero to float32."""
    near = wide.astype(np.float32)
    return np.where(np.abs(near) > np.abs(wide), np.nextafter(near, np.float32(0)), near)


def _whole(flat: NDArray[np.generic]) -> NDArray[np.float64]:
    """Integers as float64 in the same bin: large ones are truncated, not rounded."""
    if flat.dtype.kind == "u":
        return _kept(flat.astype(np.uint64))
    signed = flat.astype(np.int64)
    # abs wraps the smallest int64 to itself; viewed as unsigned it is the correct absolute value.
    return np.copysign(_kept(np.abs(signed).view(np.uint64)), signed)


def _kept(size: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Absolute values truncated to 53 leading bits, which are exact in float64."""
    return np.where(size >= EXACT_IN_FLOAT64, size & ~LOW_BITS, size).astype(np.float64)
