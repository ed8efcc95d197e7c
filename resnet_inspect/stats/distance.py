"""Distances between two sketches: for the drift of a tensor over steps, and for two runs.

All distances are symmetric, are 0 for equal sketches, and compare shares: the number of values in
each sketch does not matter. They use finite values only and raise ValueError if a sketch is empty.

Both sketches have the same bins, so between neighbouring edges the difference of their
distribution functions is linear and its integral is exact. The error is bounded by the width of
the bins. Each function states its bound, which applies to numbers within float32's range; numbers
closer to 0 than 2**-129 count as 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats.bins import HALF
from resnet_inspect.stats.sketch import Sketch

Floats = NDArray[np.float64]
# Smaller differences of sums of shares are rounding errors; 1 value in 2**32 is a larger share.
ROUNDING = 1e-12


def wasserstein(a: Sketch, b: Sketch) -> float:
    """The earth mover's distance, in the unit of the data.

    It is the mean distance by which the values of one sketch must be moved to become those of the
    other. In one dimension that is the area between the two distribution functions. The error is at
    most the sum of the mean half bin widths of both sketches, which is at most
    (mean |a| + mean |b|) / 16. The distance is a metric: it satisfies the triangle inequality.
    """
    at, before, after = _gaps(a, b)
    left, right = after[:-1], before[1:]
    sizes = np.abs(left) + np.abs(right)
    # If the gap changes its sign, its area is two triangles, otherwise a trapezium.
    triangles = np.divide(left**2 + right**2, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    heights = np.where(left * right < 0, triangles, sizes)
    return float(np.diff(at) @ heights / 2)


def distances(
    bins: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    within: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[Floats, Floats]:
    """The earth mover's distance and the largest gap of many pairs, shapes [n] and [n].

    The largest gap between the two distribution functions, 0…1 without a unit, is the
    Kolmogorov-Smirnov statistic. At bin edges both functions are exact, so the true gap is never
    smaller. The true gap is larger by at most the maximum, over the bins, of the smaller of both
    shares in the bin: within a bin the gap changes by at most the share of one of the two sketches,
    counted from the lower edge for one and from the upper edge for the other. Zeros do not add to
    this bound.

    Args:
        bins: ascending bins, shape [k].
        a: counts of the first sketch of each pair in these bins, shape [n, k]; may be 0.
        b: counts of the second sketch of each pair, shape [n, k].
        within: lower and upper bound of all values, if known. They narrow the outer bins and with
            them the error of the earth mover's distance.

    Returns:
        Both distances; NaN for pairs with an empty sketch.
    """
    totals = a.sum(axis=1), b.sum(axis=1)
    some = (totals[0] > 0) & (totals[1] > 0)
    moved, largest = np.full((2, len(some)), np.nan)
    if not some.any():
        return moved, largest
    edges = np.clip(Sketch(bins, np.ones_like(bins)).edges(), *within)
    shares = [part[some] / total[some, None] for part, total in zip((a, b), totals, strict=True)]
    gaps = np.zeros((len(shares[0]), len(bins) + 1))
    np.cumsum(shares[0] - shares[1], axis=1, out=gaps[:, 1:])
    gaps[np.abs(gaps) < ROUNDING] = 0.0
    np.clip(gaps, -1, 1, out=gaps)  # a sum of shares may round to more than 1
    before, after, far = gaps[:, :-1], gaps[:, 1:], np.abs(gaps)
    heights = far[:, :-1] + far[:, 1:]
    crossed = np.nonzero(before * after < 0)  # there the area is two triangles
    heights[crossed] = (before[crossed] ** 2 + after[crossed] ** 2) / heights[crossed]
    # Sums, not matrix products: the rounding of those depends on the row of a pair.
    inside = (heights * (edges[:, 1] - edges[:, 0])).sum(axis=1) / 2
    between = (far[:, 1:-1] * (edges[1:, 0] - edges[:-1, 1])).sum(axis=1)
    ends = np.append(np.diff(bins) > 1, True) | (bins != HALF - 1)  # both bins beside 0 end at 0
    moved[some], largest[some] = inside + between, far[:, 1:][:, ends].max(axis=1)
    return moved, largest


def drift(a: Sketch, b: Sketch) -> float:
    """The earth mover's distance in units of the pooled standard deviation, 0…infinity.

    The pooled standard deviation is √((σ_a² + σ_b²) / 2), computed from the midpoints of the bins.
    Both sides have equal weight, so a longer run does not set the scale. A shift by one standard
    deviation is a drift of 1, independent of the scale of the values.

    The standard deviation is 0 only if each side has all values in one bin. The drift is then 0 for
    the same bin and infinite for different bins, because a constant has no scale.

    The error of each σ is at most half the width of the widest used bin, so max |x| / 16. If that
    is not small compared to σ, as for a mean beyond about 16 σ, the bins are too wide to measure a
    drift. Compare the means and stds of the two summaries instead.
    """
    moved = wasserstein(a, b)
    spread = math.sqrt((_variance(a) + _variance(b)) / 2)
    if spread == 0:
        return 0.0 if moved == 0 else math.inf
    return moved / spread


def _gaps(a: Sketch, b: Sketch) -> tuple[Floats, Floats, Floats]:
    """All used edges, ascending, and the gap just before and just after each; shapes [e]."""
    at = np.unique(np.concatenate([a.edges().reshape(-1), b.edges().reshape(-1)]))
    before = a.cdf(at, "left") - b.cdf(at, "left")
    return at, before, a.cdf(at) - b.cdf(at)


def _variance(sketch: Sketch) -> float:
    """The variance of the midpoints of the bins, in the squared unit of the data."""
    middles, shares = sketch.edges().mean(axis=1), sketch.counts / sketch.total
    pivot = middles[0]
    mean = (middles - pivot) @ shares
    return float(np.square(middles - pivot - mean) @ shares)
