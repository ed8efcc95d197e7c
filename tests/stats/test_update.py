"""The relative update: of one variable, of several, and of several as one vector."""

from __future__ import annotations

import math

import numpy as np

from resnet_inspect.stats import Update, relative_updates


def test_it_is_the_change_divided_by_the_norm() -> None:
    assert Update(4.0, 1.0).relative() == 0.25
    assert Update(4.0, 1.0).relative(least=10.0) == 0.1
    assert Update(0.0, 1.0).relative() is None
    assert Update(0.0, 1.0).relative(least=2.0) == 0.5
    assert math.isnan(Update(math.nan, 1.0).relative() or 0.0)


def test_variables_without_a_norm_have_none() -> None:
    assert relative_updates([Update(0.0, 1.0), Update(2.0, 1.0)]) == [0.5]


def test_several_joined_are_one_vector() -> None:
    before, after = np.arange(1.0, 7.0), np.arange(1.0, 7.0) ** 2
    parts = (slice(0, 2), slice(2, 6))
    joined = Update.joined(
        Update(float(np.linalg.norm(before[part])), float(np.linalg.norm((after - before)[part])))
        for part in parts
    )
    assert np.isclose(joined.norm, np.linalg.norm(before))
    assert np.isclose(joined.change, np.linalg.norm(after - before))
    assert Update.joined([]) == Update(0.0, 0.0)
