"""Borders of histogram cells; `Sketch.density` counts the values between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def linear_borders(low: float, high: float, cells: int) -> Floats:
    """Borders of `cells` equally wide cells of [low, high], float64 of shape [cells + 1].

    They ascend strictly, and the first and the last are exactly `low` and `high`.

    Raises:
        ValueError: low ≥ high, an end is not finite, `cells` is below 1, or the range is too small
            for different borders in float64.
    """
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"expected finite low < high, got low {low}, high {high}")
    if cells < 1:
        raise ValueError(f"expected at least 1 cell, got {cells}")
    borders = np.linspace(low, high, cells + 1)
    borders[0], borders[-1] = low, high
    if not (np.diff(borders) > 0).all():
        raise ValueError(f"range {low} to {high} is too small for {cells} cells")
    return borders
