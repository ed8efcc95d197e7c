"""What was fed at a step: inputs and labels, as far as mistakes show in them."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

# About how many elements are looked at, in features that are evenly spread, of all examples; but at
# least in so many features, and for that of fewer examples, so that no more elements come together.
ELEMENTS = 1 << 15
FEWEST = 256
MOST = 1 << 16
# Class numbers that are counted one by one.
CLASSES = 256
# Examples whose weighted sums differ by less, relative to the largest, count as equal.
EQUAL = 1e-6
# The weights of those sums: parts of the golden section, which repeat nowhere.
GOLDEN = 0.6180339887498949


class BatchPart(msgspec.Struct, frozen=True):
    """One part of a batch [examples, …], its other axes flattened to `features`.

    Of many every second, third … feature is looked at, of very many the first examples.
    `distinct` is how many examples differ from each other, `constant` how many features have one
    value in all of them. `low`, `high`, `mean` and `std` are of all finite numbers (0 where there
    are none), `odd` how many are not finite. `least_std` and `most_std` are of the features that
    are not constant. `whole` says that all are whole numbers. `counts` holds for a part of one
    feature of whole numbers how often 0, 1, … come, for others the sums of the features, as far as
    there are 256 of either and up to the last that is not 0.
    """

    examples: int
    features: int
    distinct: int
    constant: int
    low: float
    high: float
    mean: float
    std: float
    odd: int
    least_std: float
    most_std: float
    whole: bool
    counts: tuple[float, ...] = ()

    @property
    def classes(self) -> dict[int, int] | None:
        """How often each class comes, where the part reads as labels: whole numbers in one column,
        or one-hot rows. None where it does not, or there may be more classes than are counted.
        """
        if not self.whole or self.low < 0 or not self.examples:
            return None
        one_hot = self.features > 1 and self.high == 1 and sum(self.counts) == self.examples
        if self.features > 1 and not (one_hot and self.features <= CLASSES):
            return None
        if self.features == 1 and self.high >= CLASSES:
            return None
        return {number: int(count) for number, count in enumerate(self.counts) if count}

    @property
    def multi_hot(self) -> bool:
        """Whether rows are of zeros and ones, not each with a single 1: several labels at once."""
        apart = self.whole and self.low >= 0 and self.high <= 1 and 1 < self.features <= CLASSES
        return apart and self.examples > 0 and sum(self.counts) != self.examples

    @classmethod
    def of(cls, values: NDArray[Any]) -> BatchPart:
        """The same of an array [examples, …] of numbers."""
        every = np.asarray(values)
        features = math.prod(every.shape[1:])
        stride, kept = looked_at(len(every), features)
        rows = every.reshape(len(every), features)[:kept, ::stride].astype(np.float64)
        return cls.of_rows(rows, len(every), features)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64], examples: int, features: int) -> BatchPart:
        """The same of the rows that are looked at, of so many examples of so many features."""
        fine = np.isfinite(rows)
        held = np.where(fine, rows, 0.0)
        finite = rows[fine]
        kept, some = rows.shape
        if not kept:
            none = 0.0, 0.0, 0.0, 0.0
            return cls(examples, features, 0, 0, *none, 0, 0.0, 0.0, False)
        std = held.std(axis=0)
        moving = np.ptp(held, axis=0) > 0
        whole = bool(finite.size) and bool((finite == np.round(finite)).all())
        return cls(
            examples=examples,
            features=features,
            distinct=examples - kept + distinct((held * weights(some)).sum(axis=1)),
            constant=int((~moving).sum()),
            low=float(finite.min()) if finite.size else 0.0,
            high=float(finite.max()) if finite.size else 0.0,
            mean=float(finite.mean()) if finite.size else 0.0,
            std=float(finite.std()) if finite.size else 0.0,
            odd=int((~fine).sum()),
            least_std=float(std[moving].min()) if moving.any() else 0.0,
            most_std=float(std[moving].max()) if moving.any() else 0.0,
            whole=whole,
            counts=trimmed(_counts(held, whole)),
        )


def looked_at(examples: int, features: int) -> tuple[int, int]:
    """Every how many-th feature is looked at, and of how many examples."""
    wanted = max(ELEMENTS // max(examples, 1), FEWEST)
    stride = max(1, -(-features // wanted))
    some = -(-features // stride)
    return stride, min(examples, MOST // max(some, 1))


def weights(features: int) -> NDArray[np.float64]:
    """Weights of features by which examples that differ have sums that differ: [features]."""
    places = np.arange(1, features + 1, dtype=np.float64)
    return np.asarray(places * GOLDEN % 1 + 0.5, dtype=np.float64)


def distinct(sums: NDArray[np.float64]) -> int:
    """How many sums differ."""
    if not len(sums):
        return 0
    ordered = np.sort(sums)
    step = EQUAL * max(float(np.abs(ordered).max()), 1e-30)
    return 1 + int((np.diff(ordered) > step).sum())


def trimmed(counts: NDArray[Any]) -> tuple[float, ...]:
    """Without the zeros at the end."""
    used = np.flatnonzero(counts)
    return tuple(counts[: used[-1] + 1].tolist()) if len(used) else ()


def _counts(rows: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    if rows.shape[1] != 1:
        return np.asarray(rows[:, :CLASSES].sum(axis=0))
    column = rows[:, 0]
    inside = column[(column >= 0) & (column < CLASSES)] if whole else np.zeros(0)
    return np.bincount(inside.astype(np.int64), minlength=CLASSES).astype(np.float64)
