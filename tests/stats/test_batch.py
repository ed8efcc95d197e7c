"""Statistics of a batch, compared with plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.stats import BatchPart
from resnet_inspect.stats.batch import ELEMENTS


def test_pictures() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=(6, 4, 5)).astype(np.float32)
    values[:, 0, 0] = 7.0
    values[3] = values[1]
    part = BatchPart.of(values)
    rows = values.reshape(6, 20).astype(np.float64)
    assert (part.examples, part.features, part.distinct, part.constant) == (6, 20, 5, 1)
    assert (part.low, part.high, part.odd) == (rows.min(), rows.max(), 0)
    assert (part.mean, part.std) == pytest.approx((rows.mean(), rows.std()))
    stds = np.delete(rows.std(axis=0), 0)
    assert (part.least_std, part.most_std) == pytest.approx((stds.min(), stds.max()))
    assert part.classes is None


@given(st.lists(st.integers(0, 200), min_size=1, max_size=50))
def test_labels_are_counted(labels: list[int]) -> None:
    expected = {label: labels.count(label) for label in labels}
    assert BatchPart.of(np.array(labels)).classes == expected
    assert BatchPart.of(np.array(labels)[:, None].astype(np.float32)).classes == expected


def test_one_hot_rows_are_labels_and_several_ones_are_not() -> None:
    assert BatchPart.of(np.eye(4)[[1, 1, 3]]).classes == {1: 2, 3: 1}
    assert BatchPart.of(np.array([[1, 1, 0], [0, 1, 0]])).classes is None
    assert BatchPart.of(np.array([0.5, 1.0])).classes is None
    assert BatchPart.of(np.array([-1, 1])).classes is None


def test_values_that_are_not_finite_are_counted_separately() -> None:
    part = BatchPart.of(np.array([[1.0, np.nan], [3.0, np.inf]]))
    assert (part.odd, part.low, part.high, part.mean) == (2, 1.0, 3.0, 2.0)


def test_an_empty_batch() -> None:
    part = BatchPart.of(np.zeros((0, 3)))
    assert (part.examples, part.distinct, part.classes) == (0, 0, None)


def test_many_features_are_sampled() -> None:
    part = BatchPart.of(np.tile(np.arange(3 * ELEMENTS // 2, dtype=np.float32), (2, 1)))
    assert part.features == 3 * ELEMENTS // 2
    assert part.constant == ELEMENTS // 2
    assert part.distinct == 1
