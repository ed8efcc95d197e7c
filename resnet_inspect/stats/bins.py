"""The fixed bins of the histogram: the top bits of a float32's bit pattern.

A finite float32 is sign, 8 exponent bits, 23 mantissa bits. Its top 12 bits (sign, exponent, 3
mantissa bits) are its *code*. Codes are turned into *bins* that ascend with the value:

    bin = 2048 + code            for positive numbers (code below 2048)
    bin = 2047 - (code - 2048)   for negative numbers

So bin 2048 begins at +0, bin 2047 ends at -0, and neighbouring bins share an edge. Each power of
two has 2**3 = 8 bins of equal width, so the width of a bin is at most 1/8 of its smaller edge (in
absolute value). Only subnormal numbers, |x| < 2**-126, have no relative bound: the width of their
bins is 2**-129. No pass over the data is needed to choose the bins, and histograms of any two
tensors are merged by adding counts.

Codes with all exponent bits set are infinities and NaN. They are counted separately and have no
bin, so bins go from LOWEST (the most negative finite numbers) to HIGHEST.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

MANTISSA_BITS = 3
SHIFT = 23 - MANTISSA_BITS
HALF = 1 << (8 + MANTISSA_BITS)
CODES = 2 * HALF
LOWEST = 1 << MANTISSA_BITS
HIGHEST = CODES - 1 - LOWEST

Floats = NDArray[np.float64]


@cache
def bin_of_code() -> NDArray[np.int64]:
    """The bin of each of the 4096 codes, shape [4096].

    The bins of non-finite codes are outside LOWEST…HIGHEST.
    """
    codes = np.arange(CODES)
    return np.where(codes < HALF, HALF + codes, HALF - 1 - (codes - HALF))


def codes_of(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The code of each value, in the shape of `values`."""
    return (values.view(np.uint32) >> SHIFT).astype(np.int64)


def lower_edges(bins: NDArray[np.int64]) -> Floats:
    """The smaller edge of each bin (for negative bins the one further from zero), same shape."""
    return _all_edges()[bins]


def upper_edges(bins: NDArray[np.int64]) -> Floats:
    """The larger edge of each bin, same shape."""
    return _all_edges()[bins + 1]


@cache
def _all_edges() -> Floats:
    """The lower edge of every bin, and the upper edge of the last; cached because often read."""
    return _edges(np.arange(CODES + 1))


def _edges(position: NDArray[np.int64]) -> Floats:
    """The value at the lower end of bin `position`; 2**128 at the end of the last bin."""
    distance = np.where(position >= HALF, position - HALF, HALF - position)
    size = np.ldexp(
        (1 << MANTISSA_BITS) + (distance & ((1 << MANTISSA_BITS) - 1)).astype(np.float64),
        (distance >> MANTISSA_BITS) - 127 - MANTISSA_BITS,
    )
    subnormal = np.ldexp(distance.astype(np.float64), -126 - MANTISSA_BITS)
    size = np.where(distance < (1 << MANTISSA_BITS), subnormal, size)
    return np.where(position >= HALF, size, -size)
