"""Distances between the moving averages of batch normalizations, at the last common step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.analysis.diff.differences import AverageDiff
from resnet_inspect.stats import Normalization

# By layer, its normalization's statistics at the recorded steps.
Averages = Mapping[str, Mapping[int, Normalization]]


def compare_averages(
    a: Averages, b: Averages, layers: Mapping[str, str]
) -> tuple[AverageDiff, ...]:
    """Layers whose moving averages differ at the last common step, largest distance first.

    Layers with different numbers of channels are left out: their variables show that difference.
    """
    rows = []
    for layer, statistics in a.items():
        partner = layers.get(layer)
        common = {*statistics} & {*b.get(partner or "", ())}
        if partner is not None and common:
            step = max(common)
            row = _row(layer, partner, step, statistics[step], b[partner][step])
            rows += [row] if row is not None else []
    # Rows without a finite distance come first.
    return tuple(
        sorted(rows, key=lambda row: (*map(_place, (row.mean, row.variance)), _names(row)))
    )


def _row(
    layer: str, partner: str, step: int, a: Normalization, b: Normalization
) -> AverageDiff | None:
    if a.moving_mean.shape != b.moving_mean.shape:
        return None
    means = (a.moving_mean.astype(np.float64), b.moving_mean.astype(np.float64))
    variances = (a.moving_variance.astype(np.float64), b.moving_variance.astype(np.float64))
    if np.array_equal(*means, equal_nan=True) and np.array_equal(*variances, equal_nan=True):
        return None
    usual = max(0.0, float(np.mean(variances)))
    mean, variance = _distance(means, usual**0.5), _distance(variances, usual)
    return AverageDiff(layer, partner, step, mean, variance)


def _distance(pair: tuple[NDArray[np.float64], NDArray[np.float64]], unit: float) -> float | None:
    with np.errstate(all="ignore"):
        distance = float(np.sqrt(np.mean((pair[1] - pair[0]) ** 2)) / np.float64(unit))
    return distance if np.isfinite(distance) else None


def _place(distance: float | None) -> float:
    return -np.inf if distance is None else -distance


def _names(row: AverageDiff) -> list[str]:
    return sorted((row.layer_a, row.layer_b))
