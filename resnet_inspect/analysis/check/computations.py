"""Small computations that several rules need: shares of labels, medians, usual lengths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from resnet_inspect.graph import Variable
from resnet_inspect.stats import BatchPart


def class_shares(parts: Sequence[BatchPart], ignored: int | None = None) -> dict[int, float]:
    """The share of each class in some batches of labels; empty where they are no labels. The class
    that is `ignored` counts for nothing.
    """
    total: dict[int, int] = {}
    for part in parts:
        if part.classes is None:
            return {}
        for number, count in part.classes.items():
            if number != ignored:
                total[number] = total.get(number, 0) + count
    count = sum(total.values())
    return {number: one / count for number, one in sorted(total.items())} if count else {}


def label_shares(parts: Sequence[BatchPart]) -> list[float]:
    """How often each of several labels is on, in some batches of rows of zeros and ones."""
    total = [0.0] * parts[0].features
    for part in parts:
        for place, count in enumerate(part.counts):
            total[place] += count
    examples = sum(part.examples for part in parts)
    return [count / examples for count in total]


def entropy(share: float) -> float:
    """Of a yes or no with that share, in nats."""
    if not 0 < share < 1:
        return 0.0
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def thirds(series: Mapping[int, float]) -> tuple[float, float]:
    """Medians of the first and of the last third of finite values; 0 for none."""
    values = [value for _, value in sorted(series.items()) if math.isfinite(value)]
    if not values:
        return 0.0, 0.0
    size = max(1, len(values) // 3)
    return median(values[:size]), median(values[-size:])


def usual_length(variable: Variable) -> float:
    """The 2-norm that Glorot's initial weights have; 0 for a bias and where sizes are unknown."""
    shape = variable.spec.shape or ()
    if None in shape or len(shape) < 2:
        return 0.0
    *field, fan_in, fan_out = (size or 0 for size in shape)
    places = math.prod(field)
    return math.sqrt(2 * fan_in * fan_out / max(fan_in + fan_out, 1)) if places else 0.0
