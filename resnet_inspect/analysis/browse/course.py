"""One tensor's summaries over the steps as arrays: quantiles and shares of cells of all at once.

What `Sketch.quantiles` and `Sketch.density` say of one step, for thousands of tensors in the time
a page may take.
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
# Cell borders of a bent scale are rounded; what that moves into the next cell is nothing.
NOTHING = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Shares (0…1) of each step's numbers, finite or not: in cells [S, C], outside them [S].

    Zeros are left out of them; with the shares of zeros and of what is not finite they are 1.
    """

    inside: Floats
    below: Floats
    above: Floats


@dataclass(frozen=True, eq=False)
class Course:
    """Histograms of S steps over the bins that any of them uses: `bins` [B], `counts` [S, B]."""

    summaries: tuple[TensorSummary, ...]
    bins: Counts
    counts: Counts

    @classmethod
    def of(cls, summaries: Sequence[TensorSummary]) -> Course:
        """Lay summaries side by side, in order of steps."""
        sketches = [summary.sketch for summary in summaries if len(summary.sketch.bins)]
        if not sketches:
            return cls(tuple(summaries), np.zeros(0, int), np.zeros((len(summaries), 0), int))
        sizes = [len(summary.sketch.bins) for summary in summaries]
        every = np.concatenate([one.bins for one in sketches])
        least = int(every.min())
        counts = np.zeros((len(sizes), int(every.max()) - least + 1), dtype=np.int64)
        rows = np.repeat(np.arange(len(sizes)), sizes)
        counts[rows, every - least] = np.concatenate([one.counts for one in sketches])
        used = np.flatnonzero(counts.any(axis=0))
        return cls(tuple(summaries), used + least, counts[:, used])

    @cached_property
    def pooled(self) -> Sketch:
        """The numbers of all steps together."""
        return Sketch(self.bins, self.counts.sum(axis=0))

    @cached_property
    def _edges(self) -> Floats:
        return self.pooled.edges()

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """[S, Q]; as `Sketch.quantiles`, within the exact minimum and maximum; NaN for none."""
        if not self.bins.size:
            return np.full((len(self.counts), len(shares)), np.nan)
        reached = np.cumsum(self.counts, axis=1)
        totals = reached[:, -1:]
        ranks = np.clip(np.ceil(np.asarray(shares) * totals), 1, np.maximum(totals, 1))
        at = (reached[:, :, None] < ranks[:, None, :]).sum(axis=1)
        middles = self._edges.mean(axis=1)[np.minimum(at, len(self.bins) - 1)]
        ends = [(one.min, one.max) for one in self.summaries]
        low, high = np.array(ends, dtype=np.float64).T[:, :, None]
        return np.where(totals > 0, np.clip(middles, low, high), np.nan)

    def cells(self, borders: Floats) -> Cells:
        """Shares between neighbouring ascending borders, bins shared by width."""
        lower, upper = self._edges.T
        kept = upper > lower  # the bins of zeros have no width
        lower, upper, counts = lower[kept], upper[kept], self.counts[:, kept]
        ranks = np.zeros((len(counts), len(borders)))
        whole = np.zeros(len(counts))
        if kept.any():
            begun = np.searchsorted(lower, borders, side="right") - 1
            held = np.maximum(begun, 0)
            width = upper[held] - lower[held]
            inside = np.clip((borders - lower[held]) / width, 0.0, 1.0)
            reached = np.cumsum(counts, axis=1)
            ranks = reached[:, held] - (1 - inside) * counts[:, held]
            whole = reached[:, -1].astype(np.float64)
        found = np.diff(ranks, axis=1, prepend=0.0, append=whole[:, None])
        found[found <= NOTHING] = 0.0
        totals = np.array([max(1, one.count) for one in self.summaries], dtype=np.float64)
        shares = found / totals[:, None]
        return Cells(shares[:, 1:-1], shares[:, 0], shares[:, -1])
