"""Bytes of integer arrays, ordered so that a compressor finds their zeros together.

All lowest bytes come first, then all second ones, and so on: counts are mostly small, so the
planes of high bytes are mostly zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shuffled(values: NDArray[np.int64], kind: str) -> bytes:
    """The planes of bytes of `values`, shape [n], as NumPy type `kind`, such as "<u4"."""
    width = np.dtype(kind).itemsize
    return values.astype(kind).view(np.uint8).reshape(-1, width).T.tobytes()


def unshuffled(packed: bytes, kind: str) -> NDArray[np.int64]:
    """The values, shape [n], that `shuffled` wrote; ValueError for no whole number of them."""
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(packed, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(planes.T).view(kind).reshape(-1).astype(np.int64)
