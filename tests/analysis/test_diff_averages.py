"""Distances between moving averages of two runs, equal in both directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.averages import compare_averages
from resnet_inspect.stats import Normalization
from resnet_inspect.store.run import Run


def averages(mean: list[float], variance: list[float]) -> Normalization:
    zero = np.zeros(len(mean), np.float32)
    return Normalization(zero, zero, np.asarray(mean, np.float32), np.asarray(variance, np.float32))


def test_the_last_common_step_is_compared_channel_by_channel() -> None:
    a = {
        "bn": {
            0: averages([0, 0], [1, 1]),
            5: averages([0, 2], [1, 3]),
            9: averages([9, 9], [9, 9]),
        }
    }
    b = {"bn_1": {0: averages([0, 0], [1, 1]), 5: averages([3, 2], [5, 7])}}
    (row,) = compare_averages(a, b, {"bn": "bn_1"})
    assert (row.layer_a, row.layer_b, row.step) == ("bn", "bn_1", 5)
    # The mean variance of both is 4: a standard deviation of 2.
    assert row.mean == pytest.approx(np.sqrt((3**2 + 0) / 2) / 2)
    assert row.variance == pytest.approx(np.sqrt((4**2 + 4**2) / 2) / 4)
    assert compare_averages(b, a, {"bn_1": "bn"}) == (row.mirrored(),)


def test_what_is_the_same_or_has_other_channels_is_left_out() -> None:
    a = {"one": {0: averages([1, float("nan")], [1, 1])}, "two": {0: averages([1], [1])}}
    b = {"one": {0: averages([1, float("nan")], [1, 1])}, "two": {0: averages([1, 1], [1, 1])}}
    assert compare_averages(a, b, {"one": "one", "two": "two"}) == ()


def test_what_is_not_finite_has_no_distance_and_comes_first() -> None:
    fine, bad = averages([1], [1]), averages([float("nan")], [1])
    a = {"one": {0: fine}, "two": {0: fine}}
    b = {"one": {0: averages([9], [1])}, "two": {0: bad}}
    rows = compare_averages(a, b, {"one": "one", "two": "two"})
    assert [(row.layer_a, row.mean) for row in rows] == [("two", None), ("one", 8.0)]


def test_runs_that_differ_in_them_are_not_empty(recording: Callable[[str], Run]) -> None:
    a, b = recording("v2"), recording("no_l2")
    diff = api.diff(a, b)
    last = max(a.recorded_steps())
    rows = {row.layer_a: row for row in diff.averages}
    for layer in a.graph.layers:
        if layer.normalizes:
            in_a, in_b = (run.normalizations(layer.name)[last] for run in (a, b))
            gap = np.float64(in_a.moving_mean) - np.float64(in_b.moving_mean)
            unit = np.mean([in_a.moving_variance, in_b.moving_variance])
            row = rows[layer.name]
            assert row.mean == pytest.approx(np.sqrt(np.mean(gap**2) / unit), rel=1e-5)
    assert api.diff(a, a).averages == ()
