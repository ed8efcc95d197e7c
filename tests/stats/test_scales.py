"""Borders: ends, order, and rejected arguments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resnet_inspect.stats import linear_borders

ends = st.floats(-1e6, 1e6)


@given(ends, ends, st.integers(1, 50))
def test_linear_borders_are_equally_far_apart(low: float, high: float, cells: int) -> None:
    assume(high - low > 1e-3)
    borders = linear_borders(low, high, cells)
    assert borders.shape == (cells + 1,)
    assert (borders[0], borders[-1]) == (low, high)
    assert np.diff(borders) == pytest.approx((high - low) / cells, rel=1e-6)


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.0, np.inf), (-1.7e308, 1.7e308)]
)
def test_ends_must_ascend_and_be_finite(low: float, high: float) -> None:
    message = f"expected finite low < high, got low {low}, high {high}"
    with pytest.raises(ValueError, match=message.replace("+", ".")):
        linear_borders(low, high, 3)


def test_there_must_be_a_cell_and_not_too_many() -> None:
    with pytest.raises(ValueError, match=r"^expected at least 1 cell, got 0$"):
        linear_borders(0.0, 1.0, 0)
    message = r"^range 1.0 to 1.0000000000000002 is too small for 2 cells$"
    with pytest.raises(ValueError, match=message):
        linear_borders(1.0, math.nextafter(1.0, 2.0), 2)
