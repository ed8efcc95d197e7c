"""Distances between the distributions of tensors in two runs, against the values themselves."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats as scipy_stats

from resnet_inspect.analysis.diff.alignment import align
from resnet_inspect.analysis.diff.differences import DistributionsDiff
from resnet_inspect.analysis.diff.distributions import (
    MOST_STEPS,
    RecordedSummaries,
    chosen_steps,
    compare_distributions,
)
from resnet_inspect.stats import Tap, TensorSummary
from tests.analysis.chains import chain

GRAPH = chain("one:Dense", "two:Relu", "three:Dense")
RNG = np.random.default_rng(3)
NORMAL = RNG.normal(0, 1, 20_000)
Values = dict[str, list[np.ndarray[tuple[int], np.dtype[np.float64]]]]


def recorded(values: Values, kind: str = "activation") -> RecordedSummaries:
    """A run that recorded these arrays of each layer at steps 0, 1, 2, …"""
    summaries = {
        Tap(layer, kind, f"{layer}:0"): {
            step: TensorSummary.of(array) for step, array in enumerate(course)
        }
        for layer, course in values.items()
    }
    return RecordedSummaries(range(max(map(len, values.values()))), summaries)


def compared(a: Values, b: Values, kind: str = "activation") -> DistributionsDiff:
    alignment = align(GRAPH, GRAPH, every_op=False)
    return compare_distributions(GRAPH, GRAPH, alignment, recorded(a, kind), recorded(b, kind))


def test_a_shift_has_units_of_the_spread_and_the_largest_distance_is_first() -> None:
    diff = compared(
        {"one": [10 * NORMAL] * 2, "two": [NORMAL] * 2, "three": [NORMAL] * 2},
        {"one": [10 * NORMAL + 5] * 2, "two": [NORMAL] * 2, "three": [NORMAL, NORMAL + 2]},
    )
    assert (diff.common, diff.steps, diff.compared) == (2, (0, 1), 3)
    assert [row.layer_a for row in diff.rows] == ["three", "one"]
    first, second = diff.rows
    assert first.scale == pytest.approx(1, rel=0.02)
    assert first.distance == pytest.approx(1, rel=0.03)
    assert (first.first, first.step) == (0, 1)
    assert first.last == first.largest == pytest.approx(2, rel=0.03)
    assert (first.steps, first.distances) == ((0, 1), (0, first.last))
    assert second.distances == pytest.approx((0.5, 0.5), rel=0.03)
    assert second.distance == pytest.approx(0.5, rel=0.03)
    assert second.ks == pytest.approx(
        scipy_stats.ks_2samp(NORMAL, NORMAL + 0.5).statistic, abs=0.01
    )


def test_distances_are_those_of_the_numbers_within_the_histograms_bound() -> None:
    other = np.maximum(RNG.normal(0.3, 1.5, 20_000), 0)
    row = compared({"one": [NORMAL]}, {"one": [other]}).rows[0]
    assert row.scale == pytest.approx(math.hypot(NORMAL.std(), other.std()) / math.sqrt(2))
    true = scipy_stats.wasserstein_distance(NORMAL, other)
    assert row.distance is not None
    assert row.distance * (row.scale or 0) == pytest.approx(true, abs=0.02)
    assert (row.movement_a, row.movement_b, row.beyond) == (None, None, None)


def test_a_distance_is_compared_with_the_movement_within_each_run() -> None:
    rising = [NORMAL, NORMAL + 1, NORMAL + 2]
    near = compared({"one": rising}, {"one": [array + 0.5 for array in rising]}).rows[0]
    far = compared({"one": rising}, {"one": [array + 3 for array in rising]}).rows[0]
    assert near.movement_a == pytest.approx(1, rel=0.03)
    assert near.movement_b == pytest.approx(1, rel=0.03)
    assert (near.beyond, far.beyond) == (False, True)
    still = compared({"one": [NORMAL] * 3}, {"one": [array + 0.5 for array in rising]}).rows[0]
    assert (still.movement_a, still.beyond) == (0, True)
    assert still.movement_b == pytest.approx(1, rel=0.03)


def test_values_of_one_bin_are_distinguished_by_their_means() -> None:
    a, b = np.full(64, 1.001), np.full(64, 1.01)
    row = compared({"one": [a]}, {"one": [b]}, "weight").rows[0]
    size = math.sqrt((1.001**2 + 1.01**2) / 2)
    assert row.scale == pytest.approx(size)
    assert row.distance == pytest.approx(0.009 / size)
    assert row.ks == 0
    # Constant activations have no spread, so there is no unit for a distance.
    flat = compared({"one": [a]}, {"one": [b]}).rows[0]
    assert (flat.scale, flat.distance) == (None, None)


def test_narrow_distributions_far_from_zero_are_not_blown_up_by_wide_bins() -> None:
    narrow, moved = 1 + 0.003 * NORMAL, 1.001 + 0.003 * NORMAL
    row = compared({"one": [narrow]}, {"one": [moved]}).rows[0]
    true = scipy_stats.wasserstein_distance(narrow, moved) / 0.003
    assert row.distance is not None
    # Two bins, 1/16 and 1/8 wide, contain all values: each is over 20 times as wide as the spread.
    assert true <= row.distance < 2 * true


def test_what_is_not_finite_in_one_run_comes_first() -> None:
    broken = NORMAL.copy()
    broken[:10] = math.nan
    infinite = np.full(100, math.inf)
    diff = compared(
        {"one": [NORMAL], "two": [NORMAL], "three": [NORMAL]},
        {"one": [NORMAL + 5], "two": [broken], "three": [infinite]},
    )
    assert [row.layer_a for row in diff.rows] == ["three", "two", "one"]
    assert [(row.not_finite_a, row.not_finite_b) for row in diff.rows] == [
        (0, 100), (0, 10), (0, 0),
    ]  # fmt: skip
    assert (diff.rows[0].distance, diff.rows[0].ks) == (None, None)
    assert diff.mirrored() == compared(
        {"one": [NORMAL + 5], "two": [broken], "three": [infinite]},
        {"one": [NORMAL], "two": [NORMAL], "three": [NORMAL]},
    )


def test_no_step_in_common_leaves_nothing_to_compare() -> None:
    alignment = align(GRAPH, GRAPH, every_op=False)
    first = recorded({"one": [NORMAL]})
    later = RecordedSummaries(
        [7], {Tap("one", "activation", "one:0"): {7: TensorSummary.of(NORMAL)}}
    )
    diff = compare_distributions(GRAPH, GRAPH, alignment, first, later)
    assert diff == DistributionsDiff(0, (), 0, ())


@pytest.mark.parametrize("count", [0, 1, 2, 6, 7, 8, 20, 1000])
def test_chosen_steps_are_neighbours_from_the_first_to_the_last(count: int) -> None:
    common = [10 * i for i in range(count)]
    assert chosen_steps(common, every=True) == tuple(common)
    steps = chosen_steps(common, every=False)
    assert len(steps) == min(count, MOST_STEPS)
    if count:
        assert (steps[0], steps[-1]) == (common[0], common[-1])
    pairs = sum(b - a == 10 for a, b in pairwise(steps))
    assert pairs >= len(steps) // 2
