"""Borders and positions: ends, order, inverse, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resnet_inspect.stats import linear_borders, symlog, symlog_borders, symlog_inverse

ends = st.floats(-1e6, 1e6)
withins = st.floats(1e-6, 1e3)


@given(ends, ends, st.integers(1, 50))
def test_linear_borders_are_equally_far_apart(low: float, high: float, cells: int) -> None:
    assume(high - low > 1e-3)
    borders = linear_borders(low, high, cells)
    assert borders.shape == (cells + 1,)
    assert (borders[0], borders[-1]) == (low, high)
    assert np.diff(borders) == pytest.approx((high - low) / cells, rel=1e-6)


@given(ends, ends, st.integers(1, 50), withins)
def test_symlog_borders_are_equally_far_apart_on_their_scale(
    low: float, high: float, cells: int, within: float
) -> None:
    assume(high - low > 1e-3)
    borders = symlog_borders(low, high, cells, within)
    assert borders.shape == (cells + 1,)
    assert (borders[0], borders[-1]) == (low, high)
    assert (np.diff(borders) > 0).all()
    steps = np.diff(symlog(borders, within))
    assert steps == pytest.approx(steps.mean(), rel=1e-6, abs=1e-9)


def test_symlog_at_known_places() -> None:
    values = [-2 * math.e, -2.0, -1.0, 0.0, 1.0, 2.0, 2 * math.e, 2 * math.e**3, math.inf]
    expected = [-2, -1, -0.5, 0, 0.5, 1, 2, 4, math.inf]
    assert symlog(values, 2.0) == pytest.approx(expected, rel=1e-14)
    assert symlog_inverse(expected, 2.0) == pytest.approx(values, rel=1e-14)
    assert symlog_borders(-math.e, math.e, 4, 1.0) == pytest.approx([-math.e, -1, 0, 1, math.e])


@given(
    st.lists(st.floats(-1e300, 1e300) | st.sampled_from([-math.inf, math.inf]), max_size=20),
    st.floats(1e-300, 1e300),
)
def test_symlog_ascends_and_can_be_undone(values: list[float], within: float) -> None:
    taken = np.sort(np.array([*values, within, -within, np.nextafter(within, np.inf)]))
    positions = symlog(taken, within)
    assert (positions[1:] >= positions[:-1]).all()
    assert (np.sign(positions) == np.sign(taken))[np.abs(positions) > 1e-200].all()
    kept = np.abs(taken) >= 1e-280  # others may vanish on the scale
    back = symlog_inverse(positions, within)[kept]
    assert back == pytest.approx(taken[kept], rel=1e-11)


def test_symlog_keeps_shapes() -> None:
    assert symlog(np.zeros((2, 3)), 1.0).shape == (2, 3)
    assert symlog_inverse(0.5, 1.0) == 0.5


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.0, np.inf), (-1.7e308, 1.7e308)]
)
def test_ends_must_ascend_and_be_finite(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=f"low {low} must be below high {high}".replace("+", ".")):
        linear_borders(low, high, 3)
    with pytest.raises(ValueError, match="must be below high"):
        symlog_borders(low, high, 3, 1.0)


def test_there_must_be_a_cell_and_not_too_many() -> None:
    with pytest.raises(ValueError, match=r"^expected at least 1 cell, got 0$"):
        linear_borders(0.0, 1.0, 0)
    with pytest.raises(
        ValueError, match=r"^2 cells are too many between 1.0 and 1.0000000000000002"
    ):
        linear_borders(1.0, math.nextafter(1.0, 2.0), 2)
    with pytest.raises(
        ValueError, match=r"^9 cells are too many between 1.0 and 1.0000000000000002"
    ):
        symlog_borders(1.0, math.nextafter(1.0, 2.0), 9, 0.5)


@pytest.mark.parametrize("within", [0.0, -1.0, np.nan, np.inf])
def test_the_linear_part_must_be_wide_and_finite(within: float) -> None:
    for call in (symlog, symlog_inverse, lambda x, within: symlog_borders(0, x[0], 3, within)):
        with pytest.raises(ValueError, match="linear_within must be above 0 and finite, got"):
            call([1.0], within)
