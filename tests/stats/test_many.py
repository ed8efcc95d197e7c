"""Summaries of many parts at once equal the summary of each part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from resnet_inspect.stats import TensorSummary
from resnet_inspect.stats.many import TOGETHER, summaries

Parts = list[NDArray[np.float32]]
PART = st.integers(0, 40).flatmap(
    lambda size: arrays(np.float32, size, elements=st.floats(width=32), fill=None)
)


def check(parts: Parts) -> None:
    joined = np.concatenate([*parts, np.zeros(0, np.float32)])
    results = summaries(joined, [len(part) for part in parts])
    assert len(results) == len(parts)
    for summary, part in zip(results, parts, strict=True):
        alone = TensorSummary.of(part)
        for name in ("count", "nan", "posinf", "neginf", "zeros", "min", "max", "sketch"):
            assert getattr(summary, name) == getattr(alone, name), name
        if alone.mean is None or alone.std is None:
            assert (summary.mean, summary.std) == (None, None)
            continue
        largest = float(np.abs(part[np.isfinite(part)]).max())
        assert summary.mean == pytest.approx(alone.mean, rel=0, abs=1e-12 * largest)
        assert summary.std == pytest.approx(alone.std, rel=1e-9, abs=1e-12 * largest)


@settings(deadline=None, max_examples=60)
@given(st.lists(PART, max_size=8))
def test_any_parts(parts: Parts) -> None:
    check(parts)


def test_more_elements_than_are_processed_together() -> None:
    random = np.random.default_rng(0)
    sizes = [3, TOGETHER + 5, 0, 17, *[1000] * 300, 1]
    check([random.normal(size=size).astype(np.float32) for size in sizes])


def test_no_parts_and_empty_parts() -> None:
    check([])
    check([np.zeros(0, np.float32)])
