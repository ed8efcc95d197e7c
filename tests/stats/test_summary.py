"""Tensor summaries, alone and merged, compared with plain NumPy and exact arithmetic."""

import statistics
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from resnet_inspect.stats import Sketch, TensorSummary

RNG = np.random.default_rng(11)
NAN, INF = np.nan, np.inf
ARRAYS: dict[str, ArrayLike] = {
    "normal": RNG.normal(0, 1, (4, 5, 6)).astype(np.float32),
    "large mean": (1e6 + RNG.normal(0, 1, 500)).astype(np.float32),
    "huge": (RNG.normal(0, 1e30, 100)).astype(np.float32),
    "tiny": (RNG.normal(0, 1e-40, 100)).astype(np.float32),
    "zeros": np.array([0.0, -0.0, 1.0, 0.0], np.float32),
    "not finite": np.array([[1.0, NAN, INF], [-INF, -2.0, NAN]], np.float32),
    "scalar": np.float32(-3.5),
    "integers": np.arange(-3, 9),
    "half": RNG.normal(0, 1, 64).astype(np.float16),
    "double": RNG.normal(0, 1, 64),
    "constant": np.full(7, 0.1, np.float32),
}
lists = st.lists(st.floats(width=32), max_size=40)


@pytest.mark.parametrize("name", ARRAYS)
def test_agrees_with_numpy(name: str) -> None:
    values = np.asarray(ARRAYS[name])
    summary = TensorSummary.of(values)
    finite = values[np.isfinite(values)].astype(np.float64)
    exact = [Fraction(value) for value in finite.tolist()]
    assert summary.count == values.size
    assert summary.finite == finite.size
    assert summary.nan == np.count_nonzero(np.isnan(values))
    assert summary.posinf == np.count_nonzero(values == INF)
    assert summary.neginf == np.count_nonzero(values == -INF)
    assert summary.zeros == values.size - np.count_nonzero(values)
    assert summary.zero_fraction == summary.zeros / values.size
    assert (summary.min, summary.max) == (finite.min(), finite.max())
    assert summary.mean == pytest.approx(float(statistics.mean(exact)), rel=1e-12, abs=0)
    spread = float(statistics.pstdev(exact))
    assert summary.std == pytest.approx(spread, rel=1e-9, abs=1e-9 * abs(finite).max())
    assert summary.sketch == Sketch.of(values)


def test_large_mean_keeps_the_spread() -> None:
    values = np.array([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3], np.float32)
    assert TensorSummary.of(values).std == pytest.approx(np.sqrt(1.25), rel=1e-12)


@pytest.mark.parametrize("values", [[], [NAN, NAN], [INF, -INF]])
def test_without_finite_values_there_are_no_moments(values: list[float]) -> None:
    summary = TensorSummary.of(np.array(values, np.float32))
    assert (summary.min, summary.max, summary.mean, summary.std) == (None, None, None, None)
    assert (summary.count, summary.finite, summary.zero_fraction) == (len(values), 0, 0.0)
    assert summary.sketch.total == 0


def assert_close(summary: TensorSummary, expected: TensorSummary) -> None:
    """Counts, extremes and sketch are equal; moments agree to 1e-9 of the largest value."""
    for name in ("count", "nan", "posinf", "neginf", "zeros", "min", "max", "sketch"):
        assert getattr(summary, name) == getattr(expected, name), name
    if expected.mean is None or expected.min is None or expected.max is None:
        assert (summary.mean, summary.std) == (None, None)
        return
    scale = max(abs(expected.min), abs(expected.max))
    assert summary.mean == pytest.approx(expected.mean, rel=1e-9, abs=1e-9 * scale)
    assert summary.std == pytest.approx(expected.std, rel=1e-9, abs=1e-9 * scale)


@settings(deadline=None)
@given(lists, lists)
def test_merging_is_summarizing_the_concatenation(left: list[float], right: list[float]) -> None:
    a, b = (TensorSummary.of(np.array(values, np.float32)) for values in (left, right))
    whole = TensorSummary.of(np.array(left + right, np.float32))
    assert_close(a + b, whole)
    assert_close(b + a, whole)


@settings(deadline=None)
@given(lists)
def test_an_empty_tensor_is_neutral(values: list[float]) -> None:
    summary, empty = TensorSummary.of(np.array(values, np.float32)), TensorSummary.of([])
    assert summary + empty == summary
    assert empty + summary == summary


def test_merging_many_parts_with_a_large_mean() -> None:
    values = (1e6 + RNG.normal(0, 1, 3_000)).astype(np.float32)
    parts = [TensorSummary.of(part) for part in np.split(values, 100)]
    merged = sum(parts[1:], start=parts[0])
    assert merged.std == pytest.approx(np.std(values.astype(np.float64)), rel=1e-9)
    assert_close(merged, TensorSummary.of(values))


@pytest.mark.parametrize("shards", [1, 7, 500])
def test_a_spread_far_below_the_mean_is_right(shards: int) -> None:
    values = 1e6 + RNG.normal(0, 1e-2, 1_000)
    exact = [Fraction(value) for value in values.tolist()]
    merged = reduce(add, (TensorSummary.of(part) for part in np.array_split(values, shards)))
    assert merged.std == pytest.approx(float(statistics.pstdev(exact)), rel=1e-7)
    assert merged.mean == pytest.approx(float(statistics.mean(exact)), rel=1e-14)
    if shards == 1:
        assert merged.std == pytest.approx(float(statistics.pstdev(exact)), rel=1e-12)


cuts = st.lists(st.integers(0, 60), max_size=6).map(sorted)


@settings(deadline=None)
@given(st.lists(st.floats(width=32), max_size=60), cuts)
def test_shards_of_a_batch_are_the_batch(values: list[float], cuts: list[int]) -> None:
    batch = np.array(values, np.float32)
    parts = [TensorSummary.of(part) for part in np.split(batch, cuts)]
    assert_close(reduce(add, parts), TensorSummary.of(batch))
    assert_close(reduce(lambda done, part: part + done, reversed(parts)), TensorSummary.of(batch))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-100, 100), st.floats(0, 10), st.integers(0, 30)),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 8),
)
def test_steps_may_be_merged_in_any_grouping(
    steps: list[tuple[float, float, int]], cut: int
) -> None:
    rng = np.random.default_rng(5)
    tensors = [rng.normal(mean, std, size).astype(np.float32) for mean, std, size in steps]
    whole = TensorSummary.of(np.concatenate(tensors))
    parts = [TensorSummary.of(tensor) for tensor in tensors]
    empty = TensorSummary.of([])
    assert_close(reduce(add, parts[:cut], empty) + reduce(add, parts[cut:], empty), whole)


@settings(deadline=None)
@example([1.7e308], [-1.7e308, -1.7e308])
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9),
)
def test_no_doubles_overflow_in_a_merge(left: list[float], right: list[float]) -> None:
    merged = TensorSummary.of(left) + TensorSummary.of(right)
    whole = TensorSummary.of(left + right)
    largest = max(abs(value) for value in left + right)
    assert (merged.min, merged.max) == (whole.min, whole.max)
    assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=largest * 1e-9)
    assert merged.std == pytest.approx(whole.std, rel=1e-9, abs=largest * 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_mean_is_rounded_once_and_the_spread_survives(seed: int) -> None:
    rng, ulp, size = np.random.default_rng(seed), 2.0**-52, 10_001
    steps = rng.integers(0, 2, size)
    summary = TensorSummary.of(1 + ulp * steps)
    assert summary.std == pytest.approx(ulp * float(np.std(steps)), rel=1e-12, abs=0)
    values = 1e6 + rng.normal(0, 1e-2, size)
    exact = Fraction(sum(map(Fraction, values.tolist()))) / size
    mean = TensorSummary.of(values).mean
    assert mean is not None
    assert abs(float(Fraction(mean) - exact)) <= 0.51 * float(np.spacing(mean))


def test_a_merged_mean_lies_between_both() -> None:
    single = TensorSummary.of([0.9285802519931723])
    many = replace(TensorSummary.of([-4.873301795248767e-12]), count=10**17)
    assert (single + many).mean == many.mean
    assert (many + single).mean == pytest.approx(many.mean, abs=1e-16)


def test_a_constant_has_no_spread_alone_and_merged() -> None:
    summary = TensorSummary.of(np.full(7, 0.1))
    merged = summary + TensorSummary.of(np.full(1000, 0.1))
    assert (summary.mean, summary.std) == (0.1, 0.0)
    assert (merged.mean, merged.std) == (0.1, 0.0)


@pytest.mark.parametrize("name", ARRAYS)
def test_sums_follow_from_the_moments(name: str) -> None:
    values = np.asarray(ARRAYS[name])
    summary = TensorSummary.of(values)
    exact = [Fraction(value) for value in values[np.isfinite(values)].astype(float).tolist()]
    slack = len(exact) * float(max(abs(value) for value in exact)) * 1e-15
    assert summary.sum == pytest.approx(float(sum(exact)), rel=1e-14, abs=slack)
    squares = float(sum(value**2 for value in exact))
    assert summary.sum_of_squares == pytest.approx(squares, rel=1e-13, abs=0)


def test_squares_that_float32_cannot_sum() -> None:
    values = np.full(1000, 1e30, np.float32)
    with np.errstate(over="ignore"):
        assert np.isinf((values**2).sum())
    assert TensorSummary.of(values).sum_of_squares == pytest.approx(1e63, rel=1e-6)


def test_sums_of_nothing_are_zero_and_of_too_much_infinite() -> None:
    nothing, much = TensorSummary.of([NAN]), TensorSummary.of([1.5e308, 1.5e308])
    assert (nothing.sum, nothing.sum_of_squares) == (0.0, 0.0)
    assert (much.sum, much.sum_of_squares) == (INF, INF)
