"""Numbers of every type: their bins in the histogram and their moments."""

from __future__ import annotations

import statistics
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_inspect.stats import Sketch, TensorSummary, bins
from resnet_inspect.stats.elements import singles

FLOAT32_MAX = float(np.finfo(np.float32).max)
LIMITS = {
    name: (int(np.iinfo(name).min), int(np.iinfo(name).max))
    for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
}
doubles = st.floats(allow_nan=False, allow_infinity=False)


def bin_that_holds(value: Fraction | int | float) -> int:
    """The bin of a number by comparing it with edges, in exact arithmetic."""
    size, place = abs(Fraction(value)), bins.HALF
    for step in (1 << k for k in reversed(range(11))):
        edge = float(bins.lower_edges(np.array([place + step]))[0])
        if place + step <= bins.HIGHEST and Fraction(edge) <= size:
            place += step
    return place if value >= 0 else 2 * bins.HALF - 1 - place


def assert_exact(summary: TensorSummary, values: list[Any]) -> None:
    """Extremes are equal, moments as exact arithmetic has them."""
    exact = [Fraction(value) for value in values]
    largest = max(abs(value) for value in exact)
    assert summary.min is not None
    assert summary.max is not None
    assert summary.mean is not None
    assert summary.std is not None
    assert (summary.min, summary.max) == (float(min(exact)), float(max(exact)))
    assert summary.min <= summary.mean <= summary.max
    mean = statistics.mean(exact)
    assert abs(Fraction(summary.mean) - mean) <= largest * Fraction(1e-14)
    variance = Fraction(statistics.mean((value - mean) ** 2 for value in exact))
    # |s² - v| = |s - √v| (s + √v), so this bounds the error of s by 1e-12 of the largest.
    assert abs(Fraction(summary.std) ** 2 - variance) <= 2 * largest**2 * Fraction(1e-12)


@pytest.mark.parametrize("name", LIMITS)
def test_integers_are_counted_in_their_bins(name: str) -> None:
    low, high = LIMITS[name]
    near = {sign * 2**k + d for sign in (-1, 1) for k in range(65) for d in (-1, 0, 1)}
    values = sorted(value for value in near | {low, high} if low <= value <= high)
    array = np.array(values, dtype=name)
    counted = bins.bin_of_code()[bins.codes_of(singles(array))]
    assert counted.tolist() == [bin_that_holds(value) for value in values]
    summary = TensorSummary.of(array)
    assert_exact(summary, values)
    assert (summary.count, summary.finite) == (len(values), len(values))
    assert summary.zeros == 1
    assert summary.sketch == Sketch.of(array)


@given(st.lists(doubles, min_size=1, max_size=20))
def test_doubles_are_counted_in_their_bins(values: list[float]) -> None:
    taken = np.array(values)
    assert (np.abs(singles(taken)) <= np.abs(taken)).all()
    counted = bins.bin_of_code()[bins.codes_of(singles(taken + 0.0))]
    assert counted.tolist() == [bin_that_holds(value) for value in values]


@pytest.mark.parametrize("edge", [1.0, 2.0**-126, 1.125, 2.0**127])
def test_a_double_just_below_an_edge_stays_below(edge: float) -> None:
    below = np.nextafter(edge, 0)
    assert np.float32(below) == edge
    assert Sketch.of([below]).bins.tolist() == [Sketch.of([edge]).bins[0] - 1]
    assert Sketch.of([-below]).bins.tolist() == [Sketch.of([-edge]).bins[0] + 1]


def test_doubles_beyond_single_precision_are_finite() -> None:
    values = np.array([1e300, -1e39, FLOAT32_MAX, np.inf, -np.inf])
    summary = TensorSummary.of(values)
    assert summary.sketch.bins.tolist() == [bins.LOWEST, bins.HIGHEST]
    assert summary.sketch.counts.tolist() == [1, 2]
    assert (summary.finite, summary.posinf, summary.neginf) == (3, 1, 1)
    assert (summary.min, summary.max) == (-1e39, 1e300)


@given(st.lists(doubles, min_size=1, max_size=12))
def test_moments_of_any_doubles(values: list[float]) -> None:
    assert_exact(TensorSummary.of(values), values)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_small_types_that_frameworks_add(name: str) -> None:
    types = pytest.importorskip("ml_dtypes")
    array: NDArray[np.generic] = np.array([-7, -1, 0, 0, 1, 2, 5], np.float32).astype(
        getattr(types, name)
    )
    expected = TensorSummary.of(array.astype(np.float32))
    assert TensorSummary.of(array.reshape(7, 1)) == expected
    assert expected.max == 5.0


def test_bfloat16_keeps_nan_and_infinities() -> None:
    types = pytest.importorskip("ml_dtypes")
    summary = TensorSummary.of(np.array([np.nan, np.inf, -np.inf, 1e38, 0.0], types.bfloat16))
    assert (summary.nan, summary.posinf, summary.neginf, summary.zeros, summary.finite) == (
        1,
        1,
        1,
        1,
        2,
    )
    assert summary.max == pytest.approx(1e38, rel=2**-8)
    assert summary.sketch.total == 2


def test_half_precision_up_to_its_ends() -> None:
    values = [65504.0, -65504.0, 2.0**-24, np.inf, np.nan]
    summary = TensorSummary.of(np.array(values, np.float16))
    assert (summary.min, summary.max, summary.finite) == (-65504.0, 65504.0, 3)
    assert summary.mean == pytest.approx(2.0**-24 / 3, abs=65504e-15)
    assert summary.sketch == Sketch.of(values[:3])


def test_booleans_are_zeros_and_ones() -> None:
    summary = TensorSummary.of(np.array([[True, False], [True, True]]))
    assert (summary.min, summary.max, summary.mean, summary.zeros) == (0.0, 1.0, 0.75, 1)
    assert summary.sketch == Sketch.of([0.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("order", ["<f4", ">f4", "<f8", ">f8", ">i2", ">i8"])
def test_byte_order_and_strides_do_not_matter(order: str) -> None:
    plain = np.arange(-6, 6, dtype=np.float32)
    twice = np.repeat(plain, 2).astype(order)
    assert TensorSummary.of(twice[::2]) == TensorSummary.of(plain)


def test_longdouble_is_taken_as_float64() -> None:
    assert TensorSummary.of(np.array([1.5, -2.5], np.longdouble)) == TensorSummary.of([1.5, -2.5])


@pytest.mark.parametrize("values", [[1j], ["1.5"], [None], np.array(["2020-01-01"], "M8[D]")])
def test_other_types_are_rejected(values: Any) -> None:
    with pytest.raises(TypeError, match="expected real numbers, got "):
        TensorSummary.of(values)
    with pytest.raises(TypeError, match="expected real numbers, got "):
        Sketch.of(values)
