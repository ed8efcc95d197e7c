"""Moving averages of batch normalizations of two runs, as far apart as they were last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.analysis.diff.differences import AverageDiff
from resnet_inspect.stats import Normalization

# For layers what their normalization held at the recorded steps.
Averages = Mapping[str, Mapping[int, Normalization]]


def compare_averages(
    a: Averages, b: Averages, layers: Mapping[str, str]
) -> tuple[AverageDiff, ...]:
    """Layers whose moving averages differ at the last step that both recorded, most first.

    Those with other numbers of channels are left out: that is told of their variables.
    """
    rows = []
    for one, seen in a.items():
        other = layers.get(one)
        common = {*seen} & {*b.get(other or "", ())}
        if other is not None and common:
            step = max(common)
            row = _row(one, other, step, seen[step], b[other][step])
            rows += [row] if row is not None else []
    # A row without a finite distance has no place among the others, and comes first.
    return tuple(
        sorted(rows, key=lambda row: (*map(_place, (row.mean, row.variance)), _names(row)))
    )


def _row(one: str, other: str, step: int, a: Normalization, b: Normalization) -> AverageDiff | None:
    if a.moving_mean.shape != b.moving_mean.shape:
        return None
    means = (a.moving_mean.astype(np.float64), b.moving_mean.astype(np.float64))
    variances = (a.moving_variance.astype(np.float64), b.moving_variance.astype(np.float64))
    if np.array_equal(*means, equal_nan=True) and np.array_equal(*variances, equal_nan=True):
        return None
    usual = max(0.0, float(np.mean(variances)))
    return AverageDiff(one, other, step, _distance(means, usual**0.5), _distance(variances, usual))


def _distance(pair: tuple[NDArray[np.float64], NDArray[np.float64]], unit: float) -> float | None:
    with np.errstate(all="ignore"):
        found = float(np.sqrt(np.mean((pair[1] - pair[0]) ** 2)) / np.float64(unit))
    return found if np.isfinite(found) else None


def _place(distance: float | None) -> float:
    return -np.inf if distance is None else -distance


def _names(row: AverageDiff) -> list[str]:
    return sorted((row.layer_a, row.layer_b))
