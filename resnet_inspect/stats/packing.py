"""Bytes of integer arrays in an order that compresses well.

All lowest bytes are first, then all second bytes, and so on. Counts are mostly small, so the
planes of high bytes are mostly zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shuffled(values: NDArray[np.int64], kind: str) -> bytes:
    """The byte planes of `values`, shape [n], as the NumPy type `kind`, such as "<u4"."""
    width = np.dtype(kind).itemsize
    return values.astype(kind).view(np.uint8).reshape(-1, width).T.tobytes()


def unshuffled(packed: bytes, kind: str) -> NDArray[np.int64]:
    """The values, shape [n], that `shuffled` wrote; raises ValueError for incomplete values."""
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(packed, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(planes.T).view(kind).reshape(-1).astype(np.int64)
