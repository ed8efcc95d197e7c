"""Borders of cells for showing numbers; `Sketch.density` counts the numbers between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def linear_borders(low: float, high: float, cells: int) -> Floats:
    """Borders of `cells` equally wide cells of [low, high], float64 of shape [cells + 1].

    They ascend strictly and begin and end exactly at `low` and `high`. Raises ValueError unless
    low < high, both finite, there is a cell, and the ends are so far apart that float64 can tell
    all borders from each other.
    """
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"low {low} must be below high {high}, and both be finite")
    if cells < 1:
        raise ValueError(f"expected at least 1 cell, got {cells}")
    borders = np.linspace(low, high, cells + 1)
    borders[0], borders[-1] = low, high
    if not (np.diff(borders) > 0).all():
        raise ValueError(f"{cells} cells are too many between {low} and {high}")
    return borders
