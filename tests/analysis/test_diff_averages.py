"""Moving averages of two runs: how far apart, told alike in both directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.averages import compare_averages
from resnet_inspect.stats import Normalization
from resnet_inspect.store.run import Run


def held(mean: list[float], variance: list[float]) -> Normalization:
    zero = np.zeros(len(mean), np.float32)
    return Normalization(zero, zero, np.asarray(mean, np.float32), np.asarray(variance, np.float32))


def test_the_last_common_step_is_compared_channel_by_channel() -> None:
    a = {"bn": {0: held([0, 0], [1, 1]), 5: held([0, 2], [1, 3]), 9: held([9, 9], [9, 9])}}
    b = {"bn_1": {0: held([0, 0], [1, 1]), 5: held([3, 2], [5, 7])}}
    (row,) = compare_averages(a, b, {"bn": "bn_1"})
    assert (row.layer_a, row.layer_b, row.step) == ("bn", "bn_1", 5)
    # The mean variance of both is 4: a standard deviation of 2.
    assert row.mean == pytest.approx(np.sqrt((3**2 + 0) / 2) / 2)
    assert row.variance == pytest.approx(np.sqrt((4**2 + 4**2) / 2) / 4)
    assert compare_averages(b, a, {"bn_1": "bn"}) == (row.mirrored(),)


def test_what_is_the_same_or_has_other_channels_is_left_out() -> None:
    a = {"one": {0: held([1, float("nan")], [1, 1])}, "two": {0: held([1], [1])}}
    b = {"one": {0: held([1, float("nan")], [1, 1])}, "two": {0: held([1, 1], [1, 1])}}
    assert compare_averages(a, b, {"one": "one", "two": "two"}) == ()


def test_what_is_not_finite_has_no_distance_and_comes_first() -> None:
    fine, bad = held([1], [1]), held([float("nan")], [1])
    a = {"one": {0: fine}, "two": {0: fine}}
    b = {"one": {0: held([9], [1])}, "two": {0: bad}}
    rows = compare_averages(a, b, {"one": "one", "two": "two"})
    assert [(row.layer_a, row.mean) for row in rows] == [("two", None), ("one", 8.0)]


def test_runs_that_differ_in_them_are_not_empty(recording: Callable[[str], Run]) -> None:
    a, b = recording("v2"), recording("no_l2")
    found = api.diff(a, b)
    last = max(a.recorded_steps())
    told = {row.layer_a: row for row in found.averages}
    for layer in a.graph.layers:
        if layer.normalizes:
            one, other = (run.normalizations(layer.name)[last] for run in (a, b))
            gap = np.float64(one.moving_mean) - np.float64(other.moving_mean)
            unit = np.mean([one.moving_variance, other.moving_variance])
            row = told[layer.name]
            assert row.mean == pytest.approx(np.sqrt(np.mean(gap**2) / unit), rel=1e-5)
    assert api.diff(a, a).averages == ()
