"""Histograms on a scale: no value is lost, and a slow count agrees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import Distribution, merged, remarks, spread
from resnet_inspect.stats import Sketch, TensorSummary
from tests.render.distributions import ODD, moving, of

anything = st.lists(st.floats(width=32), min_size=1, max_size=60)
kinds = st.sampled_from(["linear", "symlog"])


def row(values: list[float]) -> Distribution:
    return Distribution.of("step 0", TensorSummary.of(np.array(values, dtype=np.float32)))


@settings(deadline=None)
@given(anything, anything, kinds, st.integers(1, 60))
def test_shares_add_up_to_one(
    values: list[float], others: list[float], kind: Kind, cells: int
) -> None:
    scale = Scale.of([Sketch.of(others)], kind)
    shares = spread(row(values), scale, cells)
    parts = [shares.cells.sum(), shares.zero, shares.below, shares.above, shares.not_finite]
    assert sum(parts) == pytest.approx(1.0, abs=1e-6)
    assert min(*parts, *shares.cells) >= 0


@settings(deadline=None)
@given(anything, kinds, st.integers(1, 30))
def test_cells_agree_with_a_slow_count(values: list[float], kind: Kind, cells: int) -> None:
    shown = row([*values, 1.0])
    scale = Scale.of([shown.sketch], kind)
    borders = scale.borders(cells)
    expected = np.zeros(cells)
    for (low, high), count in zip(shown.sketch.edges(), shown.sketch.counts, strict=True):
        if low * high == 0 and high - low < 1e-38:
            continue
        for cell in range(cells):
            common = min(high, borders[cell + 1]) - max(low, borders[cell])
            expected[cell] += count * max(0.0, common) / (high - low)
    counts = spread(shown, scale, cells).cells * shown.total
    np.testing.assert_allclose(counts, expected, atol=1e-6)


@settings(deadline=None)
@given(anything, kinds, st.integers(1, 30))
def test_two_narrow_cells_add_up_to_a_wide_one(values: list[float], kind: Kind, cells: int) -> None:
    shown = row(values)
    scale = Scale.of([shown.sketch], kind)
    narrow = spread(shown, scale, 2 * cells).cells
    wide = spread(shown, scale, cells).cells
    np.testing.assert_allclose(narrow.reshape(-1, 2).sum(axis=1), wide, atol=1e-6)


def test_zeros_and_values_that_are_not_finite_are_separate() -> None:
    shares = spread(of("x", 0, -0.0, 0, 1, 2, np.nan, np.inf, -np.inf, 9, -9), Scale(0.5, 4), 7)
    assert (shares.zero, shares.not_finite) == (0.3, 0.3)
    assert (shares.below, shares.above) == (0.1, 0.1)
    assert shares.cells.sum() == pytest.approx(0.2)


def test_remarks_count_values_outside() -> None:
    rows = [of("a", 1, 2, -5), of("b", 1, 70, 80)]
    scale = Scale(0, 10)
    spreads = [spread(row, scale, 4) for row in rows]
    assert remarks(rows, spreads, scale) == [
        "outside 0…10: 1 below ‹, 2 above › (50.0 % of 6 values)"
    ]


@pytest.mark.parametrize("kind", ["linear", "symlog"])
@pytest.mark.parametrize("name", ODD)
def test_without_values_outside_only_a_symlog_scale_is_remarked(name: str, kind: Kind) -> None:
    rows = ODD[name]
    scale = Scale.of([row.sketch for row in rows], kind)
    spreads = [spread(row, scale, 4) for row in rows]
    inside = not any(shares.below or shares.above for shares in spreads)
    assert len(remarks(rows, spreads, scale)) == (not inside) + (kind == "symlog")


def test_merging_rows_keeps_every_number() -> None:
    rows = moving(10)
    groups = merged(rows, 4)
    assert [group.label for group in groups] == ["step 0…2", "step 3…5", "step 6…8", "step 9"]
    assert sum(group.total for group in groups) == sum(row.total for row in rows)
    assert groups[0].sketch == rows[0].sketch + rows[1].sketch + rows[2].sketch
    assert merged(rows, 10) == rows
    assert merged([], 4) == []
    assert merged([of("first", 1), of("last one", 2)], 1)[0].label == "first…last one"
