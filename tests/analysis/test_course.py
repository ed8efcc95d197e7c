"""Results for all steps agree with those of single histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.analysis.browse.course import Course
from resnet_inspect.render.plots.scale import Scale
from resnet_inspect.render.plots.spread import Distribution, spread
from resnet_inspect.stats import Sketch, TensorSummary

SHARES = (0.0, 0.01, 0.25, 0.5, 0.99, 1.0)
numbers = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, -0.0, float("nan"), float("inf")])
steps = st.lists(st.lists(numbers, max_size=20), max_size=5)


@settings(deadline=None)
@given(steps)
def test_quantiles_are_those_of_each_step(every: list[list[float]]) -> None:
    summaries = [TensorSummary.of(np.array(values, dtype=np.float32)) for values in every]
    quantiles = Course.of(summaries).quantiles(SHARES)
    assert quantiles.shape == (len(every), len(SHARES))
    for row, summary in zip(quantiles, summaries, strict=True):
        wanted = summary.sketch.quantiles(SHARES)
        if not wanted:
            assert np.isnan(row).all()
        else:
            assert row.tolist() == np.clip(wanted, summary.min, summary.max).tolist()


@settings(deadline=None)
@given(steps, st.sampled_from(["linear", "symlog"]))
def test_cells_are_those_of_each_step(every: list[list[float]], kind: str) -> None:
    summaries = [TensorSummary.of(np.array(values, dtype=np.float32)) for values in every]
    scale = Scale.of([summary.sketch for summary in summaries], kind)  # type: ignore[arg-type]
    cells = Course.of(summaries).cells(scale.borders(16))
    for at, summary in enumerate(summaries):
        wanted = spread(Distribution.of("", summary), scale, 16)
        assert cells.inside[at] == pytest.approx(wanted.cells, abs=1e-9)
        assert cells.below[at] == pytest.approx(wanted.below, abs=1e-9)
        assert cells.above[at] == pytest.approx(wanted.above, abs=1e-9)


@given(steps)
def test_unpack_all_agrees_with_unpack(every: list[list[float]]) -> None:
    packed = [Sketch.of(np.array(values, dtype=np.float32)).pack() for values in every]
    assert Sketch.unpack_all(packed) == [Sketch.unpack(data) for data in packed]
    with pytest.raises(ValueError, match="expected 6 bytes a bin"):
        Sketch.unpack_all([*packed, bytes(7)])
    with pytest.raises(ValueError, match="expected ascending"):
        Sketch.unpack_all([*packed, bytes(6)])
