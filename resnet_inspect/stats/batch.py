"""Statistics of the batch of a step, inputs and labels, that reveal mistakes in the data."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

# About ELEMENTS elements are sampled: evenly spread features of all examples. At least FEWEST
# features are sampled, of as many examples as keep the sample within MOST elements.
ELEMENTS = 1 << 15
FEWEST = 256
MOST = 1 << 16
# Class numbers below this are counted.
CLASSES = 256
# Examples are equal if their weighted sums differ by less than this share of the largest sum.
EQUAL = 1e-6
# The weights of the sums are multiples of the golden ratio modulo 1, which never repeat.
GOLDEN = 0.6180339887498949


class BatchPart(msgspec.Struct, frozen=True):
    """Statistics of a part of a batch [examples, …], with all other axes flattened to `features`.

    Large parts are sampled (see `looked_at`); the statistics are of the sample.

    Attributes:
        examples: number of examples in the whole part.
        features: number of features in the whole part.
        distinct: number of examples that differ from each other.
        constant: number of features with the same value in all examples.
        low, high, mean, std: of all finite values; 0 if there are none.
        odd: number of values that are not finite.
        least_std, most_std: smallest and largest std of the features that are not constant.
        whole: whether all finite values are integers.
        counts: for a single feature of integers the frequency of 0, 1, …, else the sums of the
            features; at most 256, without zeros at the end.
        shape: the shape of the whole part; empty in old run files.
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
    shape: tuple[int, ...] = ()

    @property
    def classes(self) -> dict[int, int] | None:
        """The frequency of each class, if the part can be labels: class numbers or one-hot rows.

        None if the part cannot be labels, or if there may be more than 256 classes.
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
        """Whether rows contain only 0 and 1, and not a single 1 each: several labels an example."""
        apart = self.whole and self.low >= 0 and self.high <= 1 and 1 < self.features <= CLASSES
        return apart and self.examples > 0 and sum(self.counts) != self.examples

    @classmethod
    def of(cls, values: NDArray[Any]) -> BatchPart:
        """The statistics of an array [examples, …] of numbers."""
        every = np.asarray(values)
        features = math.prod(every.shape[1:])
        stride, kept = looked_at(len(every), features)
        rows = every.reshape(len(every), features)[:kept, ::stride].astype(np.float64)
        return cls.of_rows(rows, every.shape)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64], shape: tuple[int, ...]) -> BatchPart:
        """The statistics from a sample: `rows` [sampled examples, sampled features].

        `shape` is that of the whole part.
        """
        examples, features = shape[0], math.prod(shape[1:])
        fine = np.isfinite(rows)
        filled = np.where(fine, rows, 0.0)
        finite = rows[fine]
        kept, some = rows.shape
        if not kept:
            none = 0.0, 0.0, 0.0, 0.0
            return cls(examples, features, 0, 0, *none, 0, 0.0, 0.0, False, shape=shape)
        std = filled.std(axis=0)
        moving = np.ptp(filled, axis=0) > 0
        whole = bool(finite.size) and bool((finite == np.round(finite)).all())
        return cls(
            examples=examples,
            features=features,
            distinct=examples - kept + distinct((filled * weights(some)).sum(axis=1)),
            constant=int((~moving).sum()),
            low=float(finite.min()) if finite.size else 0.0,
            high=float(finite.max()) if finite.size else 0.0,
            mean=float(finite.mean()) if finite.size else 0.0,
            std=float(finite.std()) if finite.size else 0.0,
            odd=int((~fine).sum()),
            least_std=float(std[moving].min()) if moving.any() else 0.0,
            most_std=float(std[moving].max()) if moving.any() else 0.0,
            whole=whole,
            counts=trimmed(_counts(filled, whole)),
            shape=shape,
        )


def looked_at(examples: int, features: int) -> tuple[int, int]:
    """The stride of the sampled features, and the number of sampled examples."""
    wanted = max(ELEMENTS // max(examples, 1), FEWEST)
    stride = max(1, -(-features // wanted))
    some = -(-features // stride)
    return stride, min(examples, MOST // max(some, 1))


def weights(features: int) -> NDArray[np.float64]:
    """Weights [features] that give different examples different weighted sums."""
    places = np.arange(1, features + 1, dtype=np.float64)
    return np.asarray(places * GOLDEN % 1 + 0.5, dtype=np.float64)


def distinct(sums: NDArray[np.float64]) -> int:
    """The number of different sums."""
    if not len(sums):
        return 0
    ordered = np.sort(sums)
    step = EQUAL * max(float(np.abs(ordered).max()), 1e-30)
    return 1 + int((np.diff(ordered) > step).sum())


def trimmed(counts: NDArray[Any]) -> tuple[float, ...]:
    """The counts without zeros at the end."""
    used = np.flatnonzero(counts)
    return tuple(counts[: used[-1] + 1].tolist()) if len(used) else ()


def _counts(rows: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    if rows.shape[1] != 1:
        return np.asarray(rows[:, :CLASSES].sum(axis=0))
    column = rows[:, 0]
    inside = column[(column >= 0) & (column < CLASSES)] if whole else np.zeros(0)
    return np.bincount(inside.astype(np.int64), minlength=CLASSES).astype(np.float64)
