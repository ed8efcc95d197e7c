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
        sketches = [summary.sketch for summary in summaries]
        every = np.concatenate([one.bins for one in sketches]) if sketches else np.zeros(0, int)
        bins, places = np.unique(every, return_inverse=True)
        rows = np.repeat(np.arange(len(sketches)), [len(one.bins) for one in sketches])
        counts = np.zeros((len(sketches), len(bins)), dtype=np.int64)
        if sketches:
            counts[rows, places] = np.concatenate([one.counts for one in sketches])
        return cls(tuple(summaries), bins, counts)

    @cached_property
    def pooled(self) -> Sketch:
        """The numbers of all steps together."""
        return Sketch(self.bins, self.counts.sum(axis=0))

    @cached_property
    def _edges(self) -> Floats:
        return self.pooled.edges()

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """[S, Q]; as `Sketch.quantiles`, within the exact minimum and maximum; NaN for none."""
        found = np.full((len(self.counts), len(shares)), np.nan)
        if not self.bins.size:
            return found
        reached = np.cumsum(self.counts, axis=1)
        totals = reached[:, -1]
        middles = self._edges.mean(axis=1)
        low, high = (
            np.array([np.nan if getattr(one, name) is None else getattr(one, name)
                      for one in self.summaries], dtype=np.float64)
            for name in ("min", "max")
        )  # fmt: skip
        for place, share in enumerate(shares):
            ranks = np.clip(np.ceil(share * totals), 1, np.maximum(totals, 1))
            at = np.minimum((reached < ranks[:, None]).sum(axis=1), len(middles) - 1)
            found[:, place] = np.where(totals > 0, np.clip(middles[at], low, high), np.nan)
        return found

    def cells(self, borders: Floats) -> Cells:
        """Shares between neighbouring ascending borders, bins shared by width."""
        lower, upper = self._edges.T
        kept = upper > lower  # the bins of zeros have no width
        lower, upper = lower[kept], upper[kept]
        reached = np.clip((borders - lower[:, None]) / (upper - lower)[:, None], 0.0, 1.0)
        parts = np.concatenate(
            [reached[:, :1], np.diff(reached, axis=1), 1 - reached[:, -1:]], axis=1
        )
        found = self.counts[:, kept].astype(np.float64) @ parts
        found[found <= NOTHING] = 0.0
        totals = np.array([max(1, one.count) for one in self.summaries], dtype=np.float64)
        shares = found / totals[:, None]
        return Cells(shares[:, 1:-1], shares[:, 0], shares[:, -1])
