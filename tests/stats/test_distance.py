"""Distances between sketches: compared with SciPy on the values, and laws of distances."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from resnet_inspect.stats import Sketch, distances, drift, wasserstein

TINY = 2.0**-129
everything = st.floats(-(2.0**100), 2.0**100, width=32).filter(lambda x: x == 0 or abs(x) >= TINY)
common = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.0625, -1.0]), st.integers(-64, 64).map(lambda k: k / 16)
)
lists = st.one_of(
    st.lists(common, min_size=1, max_size=40), st.lists(everything, min_size=1, max_size=40)
)
Arrays = NDArray[np.float64]


def side_by_side(sketches: list[Sketch]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bins of all sketches, and the counts of each sketch in them."""
    bins = np.unique(np.concatenate([sketch.bins for sketch in sketches]))
    counts = np.zeros((len(sketches), len(bins)), dtype=np.int64)
    for row, sketch in zip(counts, sketches, strict=True):
        row[np.searchsorted(bins, sketch.bins)] = sketch.counts
    return bins, counts


def largest_gap(a: Sketch, b: Sketch) -> float:
    """The second result of `distances` for a single pair."""
    bins, counts = side_by_side([a, b])
    return float(distances(bins, counts[:1], counts[1:])[1][0])


DISTANCES = (largest_gap, wasserstein, drift)


def resolution(sketch: Sketch) -> float:
    """Mean half width of the bins with values."""
    edges = sketch.edges()
    return float((edges[:, 1] - edges[:, 0]) @ sketch.counts / 2 / sketch.total)


def true_gap(a: list[float] | Arrays, b: list[float] | Arrays) -> float:
    """The statistic that SciPy computes from the values."""
    with np.errstate(all="ignore"):  # the p-value, which is not used, divides by 0
        return float(scipy_stats.ks_2samp(a, b, method="asymp").statistic)


def gap_slack(a: Sketch, b: Sketch) -> float:
    """The bound that the docstring states."""
    shares = []
    for mine, other in ((a, b), (b, a)):
        others = dict(zip(other.bins.tolist(), (other.counts / other.total).tolist(), strict=True))
        away = mine.edges()[:, 1] != mine.edges()[:, 0]
        pairs = zip(mine.bins[away].tolist(), mine.counts[away] / mine.total, strict=True)
        shares += [min(share, others.get(place, 0.0)) for place, share in pairs]
    return float(max(shares, default=0.0))


@pytest.mark.slow
@settings(deadline=None)
@given(lists, lists)
@example([0.0] * 6 + [1.0] * 4, [-0.0] * 6 + [2.0] * 4)
@example([1.0, 1.01], [1.1, 1.12])
@example([0.0] * 13 + [1.0] * 3 + [1 / 16] * 2, [2.0])
def test_the_largest_gap_is_within_its_bound(left: list[float], right: list[float]) -> None:
    a, b = Sketch.of(left), Sketch.of(right)
    gap, true = largest_gap(a, b), true_gap(left, right)
    assert 0 <= gap <= 1
    assert gap - 1e-12 <= true <= gap + gap_slack(a, b) + 1e-12


@settings(deadline=None)
@given(lists, lists)
@example([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])
def test_the_earth_mover_is_within_its_bound(left: list[float], right: list[float]) -> None:
    a, b = Sketch.of(left), Sketch.of(right)
    distance, true = wasserstein(a, b), scipy_stats.wasserstein_distance(left, right)
    size = np.abs(left).mean() + np.abs(right).mean()
    assert abs(distance - true) <= resolution(a) + resolution(b) + 1e-12 * size
    assert resolution(a) + resolution(b) <= size / 16 * (1 + 1e-12) + TINY


@settings(deadline=None)
@given(lists, lists)
def test_the_area_is_that_between_the_two_functions(left: list[float], right: list[float]) -> None:
    a, b = Sketch.of(left), Sketch.of(right)
    # Each bin as two thousand numbers spread evenly over it, weighted by its count.
    way = (np.arange(200) + 0.5) / 200
    points = []
    for sketch in (a, b):
        lower, upper = sketch.edges().T
        points.append((lower[:, None] + way * (upper - lower)[:, None]).reshape(-1))
    true = scipy_stats.wasserstein_distance(
        *points, np.repeat(a.counts, 200), np.repeat(b.counts, 200)
    )
    assert wasserstein(a, b) == pytest.approx(
        true, rel=1e-9, abs=(resolution(a) + resolution(b)) / 190
    )


@settings(deadline=None)
@given(lists, lists, st.integers(2, 9))
def test_symmetric_and_independent_of_the_number_of_values(
    left: list[float], right: list[float], times: int
) -> None:
    a, b, many = Sketch.of(left), Sketch.of(right), Sketch.of(left * times)
    for distance in DISTANCES:
        assert distance(a, b) == distance(b, a)
        assert distance(a, a) == 0.0
        assert distance(many, b) == pytest.approx(distance(a, b), rel=1e-9)
        assert distance(many, a) == 0.0
        assert distance(a, b) >= 0.0


@settings(deadline=None)
@given(lists, lists)
def test_only_equal_distributions_have_distance_0(left: list[float], right: list[float]) -> None:
    a, b = Sketch.of(left), Sketch.of(right)
    # Ignoring the sign of zero, functions are equal if and only if shares in all bins are equal.
    shares = [
        dict(zip(sketch.bins.tolist(), (sketch.counts / sketch.total).tolist(), strict=True))
        for sketch in (Sketch.of(np.array(left) + 0.0), Sketch.of(np.array(right) + 0.0))
    ]
    for distance in DISTANCES:
        assert (distance(a, b) == 0) == (shares[0] == shares[1])


@settings(deadline=None)
@given(lists, lists, lists)
def test_distances_satisfy_the_triangle_inequality(
    first: list[float], second: list[float], third: list[float]
) -> None:
    sketches = [Sketch.of(values) for values in (first, second, third)]
    for a, b, c in itertools.permutations(sketches):
        for distance in (wasserstein, largest_gap):
            there = distance(a, b) + distance(b, c)
            assert distance(a, c) <= there * (1 + 1e-12)


@settings(deadline=None)
@given(
    st.lists(common, min_size=1, max_size=40),
    st.lists(common, min_size=1, max_size=40),
    st.integers(-60, 60),
)
def test_scaling_does_not_change_drift(left: list[float], right: list[float], power: int) -> None:
    a, b = Sketch.of(left), Sketch.of(right)
    factor = 2.0**power
    more = Sketch.of(np.array(left) * factor), Sketch.of(np.array(right) * factor)
    assert drift(*more) == pytest.approx(drift(a, b), rel=1e-12)
    assert wasserstein(*more) == pytest.approx(wasserstein(a, b) * factor, rel=1e-12)
    assert largest_gap(*more) == largest_gap(a, b)


def test_known_distances() -> None:
    # [1, 1.125) against [2, 2.25): middles 1.0625 and 2.125
    first, second, both = Sketch.of([1.0]), Sketch.of([2.0]), Sketch.of([1.0, 2.0])
    assert largest_gap(first, second) == 1.0
    assert largest_gap(first, both) == 0.5
    assert wasserstein(first, second) == 1.0625
    assert wasserstein(first, both) == 0.53125
    # σ of the middles of `both` is 0.53125, that of `first` is 0
    assert drift(first, both) == pytest.approx(math.sqrt(2), rel=1e-12)


def test_gaps_that_change_their_sign_within_a_bin() -> None:
    # all in [1, 1.125) against half below and half above it: two triangles of 1/2 each way
    inside, around = Sketch.of([1.0, 1.0]), Sketch.of([0.96875, 1.125])
    below, within, above = 0.0625 * 0.5 / 2, 2 * (0.0625 * 0.5 / 2), 0.125 * 0.5 / 2
    assert wasserstein(inside, around) == below + within + above


def test_zeros_of_either_sign_are_the_same_number() -> None:
    plus, minus = Sketch.of([0.0, 0.0, 3.0]), Sketch.of([-0.0, -0.0, 3.0])
    for distance in DISTANCES:
        assert distance(plus, minus) == 0.0


def test_a_shift_by_one_sigma_is_a_drift_of_one() -> None:
    values = np.random.default_rng(7).normal(0, 1, 50_000)
    assert drift(Sketch.of(values), Sketch.of(values + 1)) == pytest.approx(1.0, rel=0.02)
    assert drift(Sketch.of(values), Sketch.of(values)) == 0.0


def test_samples_of_two_steps_agree_with_scipy() -> None:
    rng = np.random.default_rng(8)
    first = np.maximum(rng.normal(0, 1, 20_000), 0)
    second = np.maximum(rng.normal(0.3, 1.2, 30_000), 0)
    a, b = Sketch.of(first), Sketch.of(second)
    assert largest_gap(a, b) == pytest.approx(true_gap(first, second), abs=5e-3)
    true = scipy_stats.wasserstein_distance(first, second)
    assert wasserstein(a, b) == pytest.approx(true, abs=5e-3)
    pooled = math.sqrt((first.var() + second.var()) / 2)
    assert drift(a, b) == pytest.approx(true / pooled, rel=0.02)


def test_constants_have_no_scale() -> None:
    first, same, other, zero = (Sketch.of([x] * 5) for x in (0.1, 0.1, 0.2, 0.0))
    assert drift(first, same) == 0.0
    assert drift(first, other) == math.inf
    assert drift(zero, first) == math.inf
    assert drift(zero, zero) == 0.0


def test_the_largest_and_smallest_numbers_do_not_overflow() -> None:
    far = Sketch.of([3e38, -3e38, 2.0**-140])
    with np.errstate(all="raise"):
        assert math.isfinite(wasserstein(far, Sketch.of([1.0])))
        assert math.isfinite(drift(far, Sketch.of([0.0])))


@pytest.mark.parametrize("distance", [wasserstein, drift])
def test_an_empty_sketch_has_no_distance(distance: object) -> None:
    assert callable(distance)
    for pair in ([], [1.0]), ([1.0], []), ([math.nan], [math.inf]):
        with pytest.raises(ValueError, match="an empty sketch has no distribution function"):
            distance(*(Sketch.of(values) for values in pair))


@settings(deadline=None)
@given(st.lists(st.tuples(lists, lists), min_size=1, max_size=4))
@example([([0.0] * 6 + [1.0] * 4, [-0.0] * 6 + [2.0] * 4)])
def test_many_pairs_at_once_give_the_distances_of_single_pairs(
    pairs: list[tuple[list[float], list[float]]],
) -> None:
    left, right = ([Sketch.of(pair[side]) for pair in pairs] for side in (0, 1))
    bins, counts = side_by_side(left + right)
    moved, gaps = distances(bins, counts[: len(left)], counts[len(left) :])
    for a, b, far, gap in zip(left, right, moved, gaps, strict=True):
        size = max(np.abs(a.edges()).max(), np.abs(b.edges()).max())
        assert far == pytest.approx(wasserstein(a, b), rel=1e-6, abs=1e-10 * size)
        assert gap == pytest.approx(largest_gap(a, b), abs=1e-11)


def test_bounds_of_the_numbers_narrow_the_bins() -> None:
    values = np.random.default_rng(9).normal(1, 0.003, 5_000)
    lower, upper = values - 0.002, values + 0.002
    bins, counts = side_by_side([Sketch.of(lower), Sketch.of(upper)])
    true = scipy_stats.wasserstein_distance(lower, upper)
    wide = distances(bins, counts[:1], counts[1:])[0][0]
    narrow = distances(bins, counts[:1], counts[1:], (lower.min(), upper.max()))[0][0]
    assert wide > 5 * true
    assert narrow == pytest.approx(true, rel=0.5)


def test_a_row_without_numbers_has_no_distance() -> None:
    counts = np.array([[3, 1], [0, 0]])
    moved, gaps = distances(np.array([2100, 2101]), counts, counts)
    assert moved[0] == gaps[0] == 0
    assert np.isnan([moved[1], gaps[1]]).all()
