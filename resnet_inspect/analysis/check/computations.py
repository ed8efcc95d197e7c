"""Computations that several rules share: shares of labels, medians, initial norms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from resnet_inspect.graph import Variable
from resnet_inspect.stats import BatchPart


def class_shares(parts: Sequence[BatchPart], ignored: int | None = None) -> dict[int, float]:
    """Return the share of each class in batches of labels, without the class `ignored`.

    Empty if the parts are no class labels.
    """
    total: dict[int, int] = {}
    for part in parts:
        if part.classes is None:
            return {}
        for number, count in part.classes.items():
            if number != ignored:
                total[number] = total.get(number, 0) + count
    count = sum(total.values())
    return {number: each / count for number, each in sorted(total.items())} if count else {}


def label_shares(parts: Sequence[BatchPart]) -> list[float]:
    """Return how often each label is 1, in batches of rows of zeros and ones."""
    total = [0.0] * parts[0].features
    for part in parts:
        for label, count in enumerate(part.counts):
            total[label] += count
    examples = sum(part.examples for part in parts)
    return [count / examples for count in total]


def entropy(share: float) -> float:
    """Return the entropy of a binary label with this share of ones, in nats."""
    if not 0 < share < 1:
        return 0.0
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def thirds(series: Mapping[int, float]) -> tuple[float, float]:
    """Return the medians of the first and the last third of the finite values; 0 if none."""
    values = [value for _, value in sorted(series.items()) if math.isfinite(value)]
    if not values:
        return 0.0, 0.0
    size = max(1, len(values) // 3)
    return median(values[:size]), median(values[-size:])


def glorot_norm(variable: Variable) -> float:
    """Return the 2-norm of Glorot's initial weights; 0 for a bias and for unknown sizes."""
    shape = variable.spec.shape or ()
    if None in shape or len(shape) < 2:
        return 0.0
    *field, fan_in, fan_out = (size or 0 for size in shape)
    norm = math.sqrt(2 * fan_in * fan_out / max(fan_in + fan_out, 1))
    return norm if math.prod(field) else 0.0
