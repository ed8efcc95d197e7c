"""How far apart two sketches are: for the drift of one tensor over steps, and for two runs.

All distances are symmetric, are 0 for equal sketches, and compare shares: how many numbers each
sketch holds does not matter. They look at finite numbers only and raise ValueError where one of
the two holds none.

Both sketches have the same bins, so between neighbouring edges the difference of their two
distribution functions is linear, and what is computed of it is exact. What bounds the error is the
width of the bins. Each bound is stated with its function and holds for numbers within float32's
range; numbers closer to 0 than 2**-129 count as 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats.bins import HALF
from resnet_inspect.stats.sketch import Sketch

Floats = NDArray[np.float64]
# Differences of sums of shares below this are the sums' rounding; one number in 2**32 is more.
ROUNDING = 1e-12


def wasserstein(a: Sketch, b: Sketch) -> float:
    """The earth mover's distance, in the data's unit.

    It is how far the numbers of one must be moved, in mean, to become those of the other, which
    in one dimension is the area between the two distribution functions. Off by at most how far
    each sketch is from its own numbers, which is the mean half width of its bins: together at
    most (mean |a| + mean |b|) / 16. A metric: the way over a third sketch is never shorter.
    """
    at, before, after = _gaps(a, b)
    left, right = after[:-1], before[1:]
    sizes = np.abs(left) + np.abs(right)
    # Where the gap changes its sign it makes two triangles, otherwise one trapezium.
    triangles = np.divide(left**2 + right**2, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    heights = np.where(left * right < 0, triangles, sizes)
    return float(np.diff(at) @ heights / 2)


def distances(
    bins: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    within: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[Floats, Floats]:
    """`wasserstein` and the largest gap of many pairs at once, shapes [n] and [n].

    The largest gap between the two distribution functions, 0…1 without a unit, is the statistic of
    Kolmogorov and Smirnov. At bin edges both functions are exact, so the true gap is never
    smaller. It is larger by at most the largest value, over the bins, of the smaller one of both
    shares in the bin: on the way through a bin the gap changes by no more than the share of one of
    the two, and that holds from its lower edge for one and from its upper edge for the other.
    Zeros add nothing to it.

    Row i of `a` and row i of `b`, shapes [n, k], are the counts of two sketches in the ascending
    `bins`, shape [k]; a count may be 0. NaN where one of the two holds no number. `within` are a
    lower and an upper bound of all numbers, if known: they narrow the outer bins, and with them
    the error of the earth mover's distance where few bins hold all.
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
    before, after, far = gaps[:, :-1], gaps[:, 1:], np.abs(gaps)
    heights = far[:, :-1] + far[:, 1:]
    crossed = np.nonzero(before * after < 0)  # there it makes two triangles
    heights[crossed] = (before[crossed] ** 2 + after[crossed] ** 2) / heights[crossed]
    # Sums, not matrix products, whose rounding depends on the row that a pair stands in.
    inside = (heights * (edges[:, 1] - edges[:, 0])).sum(axis=1) / 2
    between = (far[:, 1:-1] * (edges[1:, 0] - edges[:-1, 1])).sum(axis=1)
    ends = np.append(np.diff(bins) > 1, True) | (bins != HALF - 1)  # both beside 0 end there
    moved[some], largest[some] = inside + between, far[:, 1:][:, ends].max(axis=1)
    return moved, largest


def drift(a: Sketch, b: Sketch) -> float:
    """`wasserstein` in units of the pooled standard deviation; has no unit, 0…infinity.

    The pooled one is √((σ_a² + σ_b²) / 2), read from the midpoints of the bins: both sides weigh
    the same, so that a longer run does not set the scale. A shift by one standard deviation is a
    drift of 1, whatever the numbers are multiplied by.

    The spread is 0 only where each side has all its numbers in one bin. Drift is 0 then if it is
    the same bin, and infinite if not: a constant that moved has no scale to measure that by.

    Each σ is off by at most half the width of the widest bins in use, so by max |x| / 16. Where
    that is not small against σ itself, as for a mean beyond about 16 σ, the bins are too wide to
    tell a drift, and the means and stds of the two summaries are what to compare.
    """
    moved = wasserstein(a, b)
    spread = math.sqrt((_variance(a) + _variance(b)) / 2)
    if spread == 0:
        return 0.0 if moved == 0 else math.inf
    return moved / spread


def _gaps(a: Sketch, b: Sketch) -> tuple[Floats, Floats, Floats]:
    """All edges in use, ascending, and the gap just before and just after each; shapes [e]."""
    at = np.unique(np.concatenate([a.edges().reshape(-1), b.edges().reshape(-1)]))
    before = a.cdf(at, "left") - b.cdf(at, "left")
    return at, before, a.cdf(at) - b.cdf(at)


def _variance(sketch: Sketch) -> float:
    """The variance of the bins' midpoints, in the data's unit squared; 0 for a single bin."""
    middles, shares = sketch.edges().mean(axis=1), sketch.counts / sketch.total
    pivot = middles[0]
    mean = (middles - pivot) @ shares
    return float(np.square(middles - pivot - mean) @ shares)
