"""Ten levels for the share of values in a cell of a heat map, as colours and as characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from resnet_inspect.render.plots.spread import Spread

# One hue in equal steps of lightness (Oklch, hue 245); level 0 is for empty cells.
DARK = (
    "#00182b", "#002c4a", "#02426b", "#01598f", "#0472b4",
    "#308ccf", "#57a5e5", "#7ebff6", "#add9ff", "#e2f1fe",
)  # fmt: skip
LIGHT = (
    "#ebf5fe", "#bee0fe", "#90cafc", "#6bb3ee", "#489cdd",
    "#2685c9", "#026eaf", "#00598e", "#02446e", "#013050",
)  # fmt: skip
SIGNS = " .:-=+*#%@"
TOP = len(SIGNS) - 1
# Shares above this many times the median peak of the rows get the highest level.
SPIKE = 2.0


def ceiling(spreads: Sequence[Spread]) -> tuple[float, bool]:
    """The share that gets the highest level, and whether a cell has a larger one."""
    peaks = [float(row.cells.max()) for row in spreads if row.cells.any()]
    if not peaks:
        return 0.0, False
    full = min(max(peaks), SPIKE * float(np.median(peaks)))
    return full, max(peaks) > full


def level(share: float, full: float) -> int:
    """The level of a share: 0 for an empty cell, else 1…9, with 9 for `full` and above."""
    if share <= 0:
        return 0
    return min(TOP, max(1, math.ceil(TOP * share / full - 1e-9)))
