"""Scales: their range, their cells, and ticks that do not overlap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resnet_inspect.render import spelling
from resnet_inspect.render.plots.scale import ZERO_ENDS, Kind, Scale, span, spell_tick
from resnet_inspect.stats import Sketch

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
kinds = st.sampled_from(["linear", "symlog"])


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=60), kinds)
def test_few_numbers_are_all_on_the_scale(values: list[float], kind: Kind) -> None:
    scale = Scale.of([Sketch.of(values)], kind)
    assert scale.low < scale.high
    # Values closer to zero than ZERO_ENDS count as zero.
    assert scale.low <= min(values) + ZERO_ENDS
    assert scale.high >= max(values) - ZERO_ENDS


def test_far_outliers_are_outside_and_near_ones_are_not() -> None:
    body = np.linspace(-1, 1, 10_000)
    near = Scale.of([Sketch.of([*body, 1.2])])
    assert (near.low, near.high) == (-1.125, 1.25)
    far = Scale.of([Sketch.of([*body, 50.0])])
    assert far.high < 1.2


def test_zeros_extend_the_scale_to_zero_only() -> None:
    scale = Scale.of([Sketch.of([*[0.0] * 100_000, *np.linspace(1, 8, 100)])])
    assert scale.low == 0
    assert scale.high == 9.0


def test_a_constant_has_room_around_it() -> None:
    scale = Scale.of([Sketch.of([4.2] * 9)])
    assert (scale.low, scale.high) == (3.125, 5.375)


def test_a_scale_rejects_invalid_ends() -> None:
    for low, high in ((1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="expected finite low < high, got low"):
            Scale(low, high)


@settings(deadline=None)
@given(st.lists(finite, max_size=30), kinds, st.integers(1, 250))
def test_borders_ascend_from_end_to_end(values: list[float], kind: Kind, cells: int) -> None:
    scale = Scale.of([Sketch.of(values)], kind)
    borders = scale.borders(cells)
    assert (borders[0], borders[-1], len(borders)) == (scale.low, scale.high, cells + 1)
    assert (np.diff(borders) >= 0).all()
    positions = [scale.position(border) for border in borders]
    np.testing.assert_allclose(positions, np.linspace(0, 1, cells + 1), atol=1e-6)


@settings(deadline=None)
@given(st.lists(finite, max_size=30), kinds, st.integers(8, 250))
@example([4.0, 0.5, -9.0], "symlog", 8)
def test_tick_labels_are_apart(values: list[float], kind: Kind, cells: int) -> None:
    ticks = Scale.of([Sketch.of(values)], kind).ticks(cells, len, 1)
    taken = [span(at * cells, len(text), cells) for at, text in ticks]
    assert ticks
    assert all(0 <= at <= 1 for at, _ in ticks)
    assert all(left[1] + 1 <= right[0] for left, right in pairwise(taken))
    assert len({text for _, text in ticks}) == len(ticks)
    if cells >= 40:
        assert len(ticks) >= 2


@pytest.mark.parametrize(
    ("scale", "room", "texts"),
    [
        (Scale(-2.75, 3), 60, "−2.5 −2 −1.5 −1 −0.5 0 0.5 1 1.5 2 2.5 3"),
        (Scale(-2.75, 3), 30, "−2 −1 0 1 2 3"),
        (Scale(0, 1e30), 40, "0 2e29 4e29 6e29 8e29 1e30"),
        (
            Scale(-1e-3, 1e-3, "symlog", 1e-6),
            80,
            "−0.001 −0.0001 −1e−5 −1e−6 0 1e−6 1e−5 0.0001 0.001",
        ),
        (Scale(-3, 3, "symlog", 0.1), 80, "−2 −1 −0.5 −0.2 0 0.2 0.5 1 2"),
        (Scale(2.2, 9, "symlog", 1), 30, "3 4 5 6 7 8 9"),
    ],
)
def test_ticks_are_round(scale: Scale, room: int, texts: str) -> None:
    assert " ".join(text for _, text in scale.ticks(room, len, 1)) == texts


def test_spelling_of_ticks() -> None:
    values = (0.0, -0.5, 20.0, 1e-06, -1e30, 12345.0)
    assert [spell_tick(value) for value in values] == [
        "0",
        "−0.5",
        "20",
        "1e−6",
        "−1e30",
        "1.234e4",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.6, "1000"), (-1234.5, "−1230"), (99949.0, "99900"), (99999.0, "1.00e05"),
     (12.345, "12.3"), (0.0012, "0.00120"), (1e-7, "1.00e−07")],
)  # fmt: skip
def test_numbers_have_three_digits_and_short_exponents(value: float, text: str) -> None:
    assert spelling.number(value) == text
