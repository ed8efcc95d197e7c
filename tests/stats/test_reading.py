"""Quantiles, distribution function and density of a sketch, compared with NumPy on the values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_inspect.stats import Sketch, bins, linear_borders

END = 2.0**128
TINY = 2.0**-129
everything = st.floats(width=32, allow_nan=False, allow_infinity=False)
# Numbers as in tensors: zeros, similar numbers, all magnitudes.
common = st.one_of(st.sampled_from([0.0, -0.0, 1.0, 1.125, -1.0]), st.floats(-4, 4), everything)
lists = st.lists(common, min_size=1, max_size=60)
places = st.lists(st.one_of(common, st.floats(allow_nan=False)), max_size=9)


def quantile_slack(true: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bound in the docstring, by the absolute value of the true quantile."""
    size = np.abs(true)
    return np.where(size >= 2.0**-126, size / 16, np.where(size >= TINY, TINY / 2, size))


@settings(deadline=None)
@given(lists, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quantiles_are_within_their_bound(values: list[float], wanted: list[float]) -> None:
    true = np.quantile(np.array(values), wanted, method="inverted_cdf")
    estimates = np.array(Sketch.of(values).quantiles(wanted))
    assert estimates.shape == true.shape
    slack = np.where(np.abs(true) < TINY, TINY, quantile_slack(true))
    assert (np.abs(estimates - true) <= slack).all()
    assert (estimates[true == 0] == 0).all()


def test_the_bound_of_quantiles_is_reached() -> None:
    for edge in (1.0, -1.0, 2.0**-126, 2.0**100):
        (estimate,) = Sketch.of([edge]).quantiles((0.5,))
        assert abs(estimate - edge) == abs(edge) / 16


def test_quantiles_of_many_numbers() -> None:
    values = np.random.default_rng(3).normal(0, 5, 20_000).astype(np.float32)
    wanted = (0.01, 0.25, 0.5, 0.75, 0.99, 0.999)
    true = np.quantile(values, wanted, method="inverted_cdf")
    assert np.array(Sketch.of(values).quantiles(wanted)) == pytest.approx(true, rel=1 / 16)


def test_half_zeros_have_a_quantile_of_zero() -> None:
    assert Sketch.of([0.0, -0.0, 0.0, 3.0]).quantiles((0.0, 0.5, 0.75)) == (0.0, 0.0, 0.0)


def test_no_numbers_have_no_quantiles() -> None:
    assert Sketch.of([np.nan]).quantiles((0.5,)) == ()


@pytest.mark.parametrize("share", [-0.1, 1.5, np.nan])
def test_quantiles_reject_shares_outside_0_to_1(share: float) -> None:
    with pytest.raises(ValueError, match="expected shares within 0…1, got "):
        Sketch.of([1.0]).quantiles((0.5, share))


@settings(deadline=None)
@given(lists, places)
def test_the_distribution_function_is_within_its_bound(
    values: list[float], extra: list[float]
) -> None:
    taken, sketch = np.array(values), Sketch.of(values)
    at = np.array(values + extra)
    true = np.searchsorted(np.sort(taken), at, side="right") / len(values)
    edges = sketch.edges()
    # number of values in the bins that contain or touch each place
    touched = (edges[:, 0] <= at[:, None]) & (at[:, None] <= edges[:, 1])
    touched |= np.abs(at[:, None]) < TINY * (edges[:, 0] == edges[:, 1])
    slack = (touched * sketch.counts).max(axis=1) / len(values)
    assert (np.abs(sketch.cdf(at) - true) <= slack + 1e-12).all()


@settings(deadline=None)
@given(lists, places)
def test_the_distribution_function_ascends_from_0_to_1(
    values: list[float], extra: list[float]
) -> None:
    sketch = Sketch.of(values)
    at = np.sort(np.array([-np.inf, *values, *extra, np.inf]))
    left, right = sketch.cdf(at, "left"), sketch.cdf(at)
    assert (np.diff(right) >= 0).all()
    assert (np.diff(left) >= 0).all()
    assert (left <= right).all()
    assert (left == right)[at != 0].all()
    assert (right[0], right[-1]) == (0.0, 1.0)


@settings(deadline=None)
@given(lists)
def test_the_distribution_function_is_exact_on_every_edge(values: list[float]) -> None:
    taken, sketch = np.array(values), Sketch.of(values)
    edges = bins.lower_edges(np.arange(bins.LOWEST, bins.HIGHEST + 2))
    up_to = np.searchsorted(np.sort(taken), edges, side="right")
    below = np.searchsorted(np.sort(taken), edges, side="left")
    expected = np.where(edges > 0, below, up_to)
    away = edges != 0
    assert np.allclose(sketch.cdf(edges)[away] * len(values), expected[away], rtol=0, atol=1e-9)


def test_the_distribution_function_at_known_places() -> None:
    sketch = Sketch.of([-1.0, 0.0, -0.0, 1.0])
    at = [-1.125, -1.0625, -1.0, -1e-300, 0.0, 0.5, 1.0, 1.0625, 1.125, np.nan]
    expected = [0, 0.125, 0.25, 0.25, 0.75, 0.75, 0.75, 0.875, 1, np.nan]
    assert np.array_equal(sketch.cdf(at), expected, equal_nan=True)
    assert sketch.cdf(0.0, "left") == 0.25
    assert sketch.cdf(np.zeros((2, 3))).shape == (2, 3)
    assert np.isnan(Sketch.of([0.0]).cdf(np.nan))


def test_no_numbers_have_no_distribution() -> None:
    with pytest.raises(ValueError, match="an empty sketch has no distribution function"):
        Sketch.of([]).cdf(0.0)


@settings(deadline=None)
@given(st.lists(common, max_size=60), st.sets(st.floats(allow_nan=False), max_size=12))
def test_density_over_everything_sums_to_the_count(values: list[float], inner: set[float]) -> None:
    sketch = Sketch.of(values)
    borders = sorted({-np.inf, np.inf} | inner)
    density = sketch.density(borders)
    assert density.shape == (len(borders) - 1,)
    assert (density >= 0).all()
    assert density.sum() == pytest.approx(sketch.total, rel=1e-12)
    assert Sketch.of(values * 2).density(borders) == pytest.approx(2 * density, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(lists, st.sets(st.floats(-5, 5), min_size=2, max_size=9))
def test_density_is_within_its_bound(values: list[float], cut: set[float]) -> None:
    sketch, borders = Sketch.of(values), sorted(cut)
    true, _ = np.histogram(values, borders)
    lower = bins.lower_edges(sketch.bins)[:, None]
    upper = bins.upper_edges(sketch.bins)[:, None]
    crossed = ((lower <= borders) & (borders <= upper)).T @ sketch.counts
    slack = crossed[:-1] + crossed[1:]
    assert (np.abs(sketch.density(borders) - true) <= slack + 1e-9).all()


def test_density_on_bin_edges_is_the_plain_histogram() -> None:
    values = np.random.default_rng(4).uniform(-3, 5, 5_000).astype(np.float32)
    for borders in ([1.0, 1.125, 1.5, 2.0], [-2.0, -1.5, -1.0], [0, 0.5, 1, 4], [-1, 0, 3]):
        expected, _ = np.histogram(values[values < borders[-1]], borders)
        assert Sketch.of(values).density(borders).tolist() == expected.tolist()


def test_zeros_on_a_border_count_as_in_numpy() -> None:
    values = [0.0, -0.0, 0.0, 1.0]
    for borders in ([0.0, 2.0], [-1.0, 0.0, 2.0], [-1.0, 0.0], [-2.0, -1.0, 2.0]):
        expected, _ = np.histogram(values, borders)
        assert Sketch.of(values).density(borders).tolist() == expected.tolist()


def test_density_divides_a_bin_by_width() -> None:
    # 1.0 is in [1, 1.125): half of the bin is below 1.0625, the rest in the second cell
    ten = Sketch.of([1.0] * 10)
    assert ten.density(linear_borders(0.0625, 2.0625, 2)).tolist() == [5, 5]
    assert ten.density([1.0, 1.03125]).tolist() == [2.5]
    assert ten.density([0.0, 1.03125, 1.09375, 9.0]).tolist() == [2.5, 5, 2.5]


@pytest.mark.parametrize(
    "borders", [[1.0, 1.0], [1.0, 0.5], [1.0, np.nan], [0.0, 2.0, 1.0], [1.0], [[0.0, 1.0]]]
)
def test_density_rejects_borders_that_do_not_ascend(borders: list[float]) -> None:
    with pytest.raises(ValueError, match="expected two or more ascending borders, got "):
        Sketch.of([1.0]).density(borders)
