"""Quantiles and histogram cells of one tensor over all steps, computed as arrays.

Same results as `Sketch.quantiles` and `Sketch.density` for single steps, but fast enough for pages
with thousands of tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats import Sketch, TensorSummary

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
# Borders of a symmetric-log scale are rounded. Smaller counts are rounding errors.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Shares (0 to 1) of the values of each step, in cells [S, C] and outside them [S].

    The shares are of all values, finite or not. Zeros are not in any cell. The shares in a step
    add up to 1 together with those of zeros and of values that are not finite.
    """

    inside: Floats
    below: Floats
    above: Floats


@dataclass(frozen=True, eq=False)
class Course:
    """Histograms of S steps over all used bins: `bins` [B], `counts` [S, B]."""

    summaries: tuple[TensorSummary, ...]
    bins: Counts
    counts: Counts

    @classmethod
    def of(cls, summaries: Sequence[TensorSummary]) -> Course:
        """Combine summaries in order of steps."""
        sketches = [summary.sketch for summary in summaries if len(summary.sketch.bins)]
        if not sketches:
            return cls(tuple(summaries), np.zeros(0, int), np.zeros((len(summaries), 0), int))
        sizes = [len(summary.sketch.bins) for summary in summaries]
        every = np.concatenate([sketch.bins for sketch in sketches])
        least = int(every.min())
        counts = np.zeros((len(sizes), int(every.max()) - least + 1), dtype=np.int64)
        rows = np.repeat(np.arange(len(sizes)), sizes)
        counts[rows, every - least] = np.concatenate([sketch.counts for sketch in sketches])
        used = np.flatnonzero(counts.any(axis=0))
        return cls(tuple(summaries), used + least, counts[:, used])

    @cached_property
    def pooled(self) -> Sketch:
        """The values of all steps in one sketch."""
        return Sketch(self.bins, self.counts.sum(axis=0))

    @cached_property
    def _edges(self) -> Floats:
        return self.pooled.edges()

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """Return quantiles [S, Q] as `Sketch.quantiles` does, clipped to the exact extremes.

        Steps without values have NaN.
        """
        if not self.bins.size:
            return np.full((len(self.counts), len(shares)), np.nan)
        reached = np.cumsum(self.counts, axis=1)
        totals = reached[:, -1:]
        ranks = np.clip(np.ceil(np.asarray(shares) * totals), 1, np.maximum(totals, 1))
        at = (reached[:, :, None] < ranks[:, None, :]).sum(axis=1)
        middles = self._edges.mean(axis=1)[np.minimum(at, len(self.bins) - 1)]
        ends = [(summary.min, summary.max) for summary in self.summaries]
        low, high = np.array(ends, dtype=np.float64).T[:, :, None]
        return np.where(totals > 0, np.clip(middles, low, high), np.nan)

    def cells(self, borders: Floats) -> Cells:
        """Return shares between ascending borders. A bin across a border is split by width."""
        lower, upper = self._edges.T
        kept = upper > lower  # the bins of zeros have no width
        lower, upper, counts = lower[kept], upper[kept], self.counts[:, kept]
        ranks = np.zeros((len(counts), len(borders)))
        whole = np.zeros(len(counts))
        if kept.any():
            at = np.maximum(np.searchsorted(lower, borders, side="right") - 1, 0)
            width = upper[at] - lower[at]
            inside = np.clip((borders - lower[at]) / width, 0.0, 1.0)
            reached = np.cumsum(counts, axis=1)
            ranks = reached[:, at] - (1 - inside) * counts[:, at]
            whole = reached[:, -1].astype(np.float64)
        values = np.diff(ranks, axis=1, prepend=0.0, append=whole[:, None])
        values[values <= ROUNDING] = 0.0
        totals = np.array([max(1, item.count) for item in self.summaries], dtype=np.float64)
        shares = values / totals[:, None]
        return Cells(shares[:, 1:-1], shares[:, 0], shares[:, -1])
