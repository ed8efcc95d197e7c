"""Borders of cells, and positions on an axis, for showing numbers that span many sizes.

Borders are float64 arrays of shape [cells + 1] that ascend strictly and begin and end exactly at
the ends that were asked for; `Sketch.density` counts the numbers between them. No data is seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def linear_borders(low: float, high: float, cells: int) -> Floats:
    """Borders of `cells` equally wide cells of [low, high], shape [cells + 1].

    Raises ValueError unless low < high, both finite, there is a cell, and the ends are so far
    apart that float64 can tell all borders from each other.
    """
    _check(low, high, cells)
    return _ascending(np.linspace(low, high, cells + 1), low, high)


def symlog_borders(low: float, high: float, cells: int, linear_within: float) -> Floats:
    """Borders of `cells` cells of [low, high] that are equally wide on the symlog scale.

    Shape [cells + 1]. See `symlog` for the scale and `linear_within`. Raises ValueError as
    `linear_borders` does, and unless `linear_within` is above 0 and finite.
    """
    _check(low, high, cells)
    first, last = symlog([low, high], linear_within).tolist()
    borders = symlog_inverse(np.linspace(first, last, cells + 1), linear_within)
    return _ascending(borders, low, high)


def symlog(values: ArrayLike, linear_within: float) -> Floats:
    """Positions of `values` on the symlog scale, in their shape.

    In units of the number L = `linear_within`: x/L as far as |x| ≤ L, and beyond that
    ±(1 + ln(|x|/L)), so position and slope are continuous at ±L. Positions ascend with the values
    and 0 is at 0; infinities stay infinite. Raises ValueError unless 0 < L < infinity.
    """
    _check_within(linear_within)
    numbers = np.asarray(values, dtype=np.float64)
    size = np.abs(numbers)
    far = size > linear_within
    logarithm = np.log(size, out=np.zeros_like(size), where=far) - math.log(linear_within)
    # Kept from falling below 0 where the two logarithms round differently just beyond ±L.
    near = np.divide(numbers, linear_within, out=np.zeros_like(size), where=~far)
    return np.where(far, np.copysign(1 + np.maximum(logarithm, 0.0), numbers), near)


def symlog_inverse(positions: ArrayLike, linear_within: float) -> Floats:
    """The values at `positions` of the symlog scale, in their shape: `symlog` read backwards.

    Positions of numbers beyond float64's range give infinities. Raises ValueError unless
    0 < linear_within < infinity.
    """
    _check_within(linear_within)
    places = np.asarray(positions, dtype=np.float64)
    size = np.abs(places)
    with np.errstate(over="ignore"):
        far = np.exp(np.maximum(size, 1.0) - 1 + math.log(linear_within))
    return np.where(size > 1, np.copysign(far, places), places * linear_within)


def _check(low: float, high: float, cells: int) -> None:
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"low {low} must be below high {high}, and both be finite")
    if cells < 1:
        raise ValueError(f"expected at least 1 cell, got {cells}")


def _check_within(linear_within: float) -> None:
    if not 0 < linear_within < math.inf:
        raise ValueError(f"linear_within must be above 0 and finite, got {linear_within}")


def _ascending(borders: Floats, low: float, high: float) -> Floats:
    """The borders with their ends set exactly; ValueError where two of them fall together."""
    borders[0], borders[-1] = low, high
    if not (np.diff(borders) > 0).all():
        raise ValueError(f"{len(borders) - 1} cells are too many between {low} and {high}")
    return borders
