"""The summary of a tensor at a step: exact moments and a histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from resnet_inspect.stats.elements import doubles
from resnet_inspect.stats.sketch import Sketch

# Squares of numbers within 2**±SAFE, and their sums, neither overflow nor underflow in float64.
SAFE = 400


@dataclass(frozen=True)
class TensorSummary:
    """Counts, moments and histogram of a tensor, in the unit of the tensor.

    Moments are of the finite elements, and None if there are none. They are computed in float64,
    and min ≤ mean ≤ max. The std of a constant tensor is exactly 0.

    Attributes:
        count: number of elements.
        nan, posinf, neginf: numbers of elements that are not finite.
        zeros: number of zeros, +0 and -0.
        min, max, mean: moments.
        std: standard deviation of the population, as in numpy.std.
        sketch: histogram of the finite elements.
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
        """Share of zeros among all elements; 0 for an empty tensor."""
        return self.zeros / self.count if self.count else 0.0

    @property
    def sum(self) -> float:
        """Sum of the finite elements, as `finite · mean`; 0 if there are none.

        The error is a few float64 roundings of `finite · max |x|`. Infinite beyond float64's range.
        """
        return 0.0 if self.mean is None else self.finite * self.mean

    @property
    def sum_of_squares(self) -> float:
        """Sum of the squares of the finite elements, as `finite · (std² + mean²)`.

        This follows from std² = mean of squares - mean² and has no cancellation, so the relative
        error is a few float64 roundings. 0 if there are no finite elements, infinite beyond
        float64's range. Half of the sum is TensorFlow's L2 loss of a tensor.
        """
        if self.mean is None or self.std is None:
            return 0.0
        return self.finite * (self.std * self.std + self.mean * self.mean)

    @classmethod
    def of(cls, values: ArrayLike) -> TensorSummary:
        """The summary of an array of any shape; code on devices must agree with it.

        Supports the types of `stats.elements` and raises TypeError for others. Finite float64
        numbers beyond float32's range are exact in the moments and in the outermost bins of the
        sketch.
        """
        flat = doubles(values)
        finite = flat[np.isfinite(flat)]
        low, high, mean, std = _moments(finite) if finite.size else (None, None, None, None)
        return cls(
            count=flat.size,
            nan=int(np.isnan(flat).sum()),
            posinf=int(np.isposinf(flat).sum()),
            neginf=int(np.isneginf(flat).sum()),
            zeros=int((flat == 0).sum()),
            min=low,
            max=high,
            mean=mean,
            std=std,
            sketch=Sketch.of(values),
        )

    def __add__(self, other: TensorSummary) -> TensorSummary:
        """The summary of the elements of both tensors (Chan's pairwise update).

        Counts, extremes and sketch are exact. Each merge rounds the mean once. The relative
        rounding of the std is about 1e-16 · |mean| / std.
        """
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


def _moments(finite: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Minimum, maximum, mean and std of numbers of shape [n], n > 0.

    The mean is corrected by the mean of the residuals, and the variance is that of the residuals,
    so the std loses no digits if the mean is far from 0. Extreme numbers are scaled by a power of
    two, which is exact.
    """
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return low, high, low, 0.0
    largest, exponent = math.frexp(max(-low, high))
    if abs(exponent) <= SAFE:
        largest, exponent = math.ldexp(largest, exponent), 0
    scaled = np.ldexp(finite, -exponent) if exponent else finite
    guess = scaled.mean()
    rest = scaled - guess
    more = rest.mean()
    spread = min(math.sqrt(float(np.square(rest - more).mean())), largest)
    middle = min(max(float(guess + more), -largest), largest)
    mean = min(max(math.ldexp(middle, exponent), low), high)
    return low, high, mean, math.ldexp(spread, exponent)


def _merge_moments(a: TensorSummary, b: TensorSummary) -> tuple[float | None, float | None]:
    """Mean and std of the elements of both; halves and `hypot` prevent overflow."""
    if a.mean is None or a.std is None:
        return b.mean, b.std
    if b.mean is None or b.std is None:
        return a.mean, a.std
    total = a.finite + b.finite
    left, right = a.finite / total, b.finite / total
    half = b.mean / 2 - a.mean / 2
    mean = a.mean + half * right + half * right
    mean = min(max(mean, min(a.mean, b.mean)), max(a.mean, b.mean))
    between = half * (2 * math.sqrt(left * right))
    return mean, math.hypot(a.std * math.sqrt(left), b.std * math.sqrt(right), between)
