"""How much a cell of a heat map holds, in ten levels: as colours and as characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from resnet_inspect.render.plots.spread import Spread

# One hue in equal steps of lightness (Oklch, hue 245); level 0 is for cells that hold nothing.
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
# A row whose fullest cell holds this many times the usual is a spike, and shown as full.
SPIKE = 2.0


def ceiling(spreads: Sequence[Spread]) -> tuple[float, bool]:
    """The share that is drawn as full, and whether some cell holds more than that."""
    peaks = [float(one.cells.max()) for one in spreads if one.cells.any()]
    if not peaks:
        return 0.0, False
    full = min(max(peaks), SPIKE * float(np.median(peaks)))
    return full, max(peaks) > full


def level(share: float, full: float) -> int:
    """0 for nothing, 1…9 for a share up to `full` and above."""
    if share <= 0:
        return 0
    return min(TOP, max(1, math.ceil(TOP * share / full - 1e-9)))
