"""What one tensor held at one step: exact moments and a histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from resnet_inspect.stats.sketch import Sketch


@dataclass(frozen=True)
class TensorSummary:
    """Counts and moments of one tensor.

    `count` is the number of elements, of which `nan`, `posinf` and `neginf` are not finite;
    `zeros` counts +0 and -0. `min`, `max`, `mean` and `std` (of the population, as numpy.std) are
    over the finite elements and None where there are none.
    """

    count: int
    nan: int
    posinf: int
    neginf: int
    zeros: int
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    sketch: Sketch

    @property
    def finite(self) -> int:
        """Number of finite elements."""
        return self.count - self.nan - self.posinf - self.neginf

    @property
    def zero_fraction(self) -> float:
        """Share of all elements that are zero; 0 for an empty tensor."""
        return self.zeros / self.count if self.count else 0.0

    @classmethod
    def of(cls, values: ArrayLike) -> TensorSummary:
        """Summarize an array of any shape: the reference that devices must agree with."""
        flat = np.asarray(values).reshape(-1)
        finite = flat[np.isfinite(flat)].astype(np.float64)
        return cls(
            count=flat.size,
            nan=int(np.isnan(flat).sum()),
            posinf=int(np.isposinf(flat).sum()),
            neginf=int(np.isneginf(flat).sum()),
            zeros=int((flat == 0).sum()),
            min=float(finite.min()) if finite.size else None,
            max=float(finite.max()) if finite.size else None,
            mean=float(finite.mean()) if finite.size else None,
            std=float(finite.std()) if finite.size else None,
            sketch=Sketch.of(flat),
        )

    def __add__(self, other: TensorSummary) -> TensorSummary:
        """The summary of both tensors' elements together (Chan's pairwise update)."""
        mean, std = _merge_moments(self, other)
        return TensorSummary(
            count=self.count + other.count,
            nan=self.nan + other.nan,
            posinf=self.posinf + other.posinf,
            neginf=self.neginf + other.neginf,
            zeros=self.zeros + other.zeros,
            min=min((v for v in (self.min, other.min) if v is not None), default=None),
            max=max((v for v in (self.max, other.max) if v is not None), default=None),
            mean=mean,
            std=std,
            sketch=self.sketch + other.sketch,
        )


def _merge_moments(a: TensorSummary, b: TensorSummary) -> tuple[float | None, float | None]:
    if a.mean is None or a.std is None:
        return b.mean, b.std
    if b.mean is None or b.std is None:
        return a.mean, a.std
    total = a.finite + b.finite
    share = b.finite / total
    gap = b.mean - a.mean
    variance = a.std**2 * (1 - share) + b.std**2 * share + gap**2 * share * (1 - share)
    return a.mean + gap * share, math.sqrt(variance)
