"""Ridges, heat maps and histograms in a terminal."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from rich.text import Text

from resnet_inspect.render.plots.heat_map import heat_map
from resnet_inspect.render.plots.histogram import histogram
from resnet_inspect.render.plots.intensity import DARK, LIGHT, SIGNS, ceiling, level
from resnet_inspect.render.plots.ridges import Frame, ridges
from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import Distribution, spread
from resnet_inspect.render.screen import Screen
from resnet_inspect.stats import Sketch
from resnet_inspect.store.run import Run
from tests.render.distributions import HOSTILE, ODD, moving, of, recorded

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]
BLOCKS = "▁▂▃▄▅▆▇█"


def written(lines: Sequence[Text], width: int, encoding: str = "utf-8") -> str:
    """The text that a screen writes for these lines."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Screen(file, width=width).line(*lines)
    file.seek(0)
    return "\n".join(line.rstrip() for line in file.read().splitlines()) + "\n"


def all_pictures(rows: Sequence[Distribution], width: int, scale: Kind) -> list[list[Text]]:
    """Every kind of plot of these rows."""
    pictures = [ridges(rows, width, scale=scale)]
    pictures += [heat_map(rows, width, scale=scale, colour=colour) for colour in (False, True)]
    return pictures + [histogram(row, width, 5, scale=scale) for row in rows[:1]]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("layer", ["relu00_branch2a", "bn00_branch2a"])
def test_real_numbers(recording: Open, golden: Golden, layer: str, width: int) -> None:
    rows = recorded(recording("v2"), layer)
    lines = [
        *ridges(rows, width),
        *ridges(rows, width, scale="symlog"),
        *heat_map(rows, width, colour=False),
        *heat_map(rows, width, colour=True),
        *histogram(rows[-1], width, 8),
    ]
    golden(f"plots/{layer}_{width}.txt", written(lines, width))


def test_ascii(recording: Open, golden: Golden) -> None:
    rows = recorded(recording("v2"), "relu00_branch2a")
    lines = [*ridges(rows, 60), *heat_map(rows, 60, colour=False), *histogram(rows[-1], 60, 6)]
    text = written(lines, 60, encoding="ascii")
    assert "?" not in text
    golden("plots/ascii.txt", text)


@pytest.mark.parametrize("width", [40, 80, 250])
@pytest.mark.parametrize("scale", ["linear", "symlog"])
@pytest.mark.parametrize("name", ODD)
def test_odd_rows_fit_and_show(name: str, scale: Kind, width: int) -> None:
    for picture in all_pictures(ODD[name], width, scale):
        assert picture
        for line in picture:
            assert line.cell_len <= width
            assert "\n" not in line.plain
            assert line.plain.isprintable()


def test_mixed_rows_show_their_remarks(golden: Golden) -> None:
    lines = [*ridges(ODD["mixed"], 80), *heat_map(ODD["mixed"], 80, colour=True)]
    golden("plots/mixed.txt", written([*lines, *histogram(ODD["mixed"][-1], 80, 4)], 80))


def test_no_rows() -> None:
    assert [line.plain for line in ridges([], 80)] == ["no step was recorded"]
    assert [line.plain for line in heat_map([], 80, colour=True)] == ["no step was recorded"]


def bars_of(line: Text) -> str:
    return re.sub(rf"[^{BLOCKS} ]", "", line.plain[-40:])


def test_zeros_flatten_nothing() -> None:
    values = [0.1 * i for i in range(1, 40) for _ in range(40 - i)]
    scale = Scale(0, 4)
    few = ridges([of("step 0", *[0.0] * 100, *values)], 80, scale=scale)
    many = ridges([of("step 0", *[0.0] * 100_000, *values)], 80, scale=scale)
    assert bars_of(few[1]) == bars_of(many[1])
    assert "99.2 %" in many[1].plain


def test_bars_follow_the_shares() -> None:
    rows = moving(3)
    picture = ridges(rows, 100)
    scale = Scale.of([row.sketch for row in rows])
    for row, line in zip(rows, picture, strict=False):
        bars = line.plain[len("step 0  ") :].rstrip("›")
        shares = spread(row, scale, 100 - len("step 0  ") - 1).cells
        for share, bar in zip(shares, bars.ljust(len(shares)), strict=True):
            assert " ▁▂▃▄▅▆▇█".index(bar) == (
                max(1, round(8 * share / shares.max())) if share else 0
            )


def test_columns_of_a_histogram_are_as_high_as_their_shares() -> None:
    row, height = moving(1)[0], 10
    lines = histogram(row.sketch, 80, height)[:height]
    columns = zip(*(line.plain[9:].ljust(71) for line in lines), strict=True)
    heights = [sum(" ▁▂▃▄▅▆▇█".find(sign) for sign in column) for column in columns]
    shares = spread(row, Scale.of([row.sketch]), 70).cells
    eighths = [round(80 * share / shares.max()) for share in shares]
    assert [max(1, n) if share else 0 for n, share in zip(eighths, shares, strict=True)] == (
        heights[:70]
    )


def test_levels_follow_the_shares() -> None:
    assert [level(share, 0.9) for share in (0, 1e-9, 0.1, 0.11, 0.45, 0.9, 5)] == [
        0, 1, 1, 2, 5, 9, 9,
    ]  # fmt: skip
    rows = [of("a", *range(1, 100)), of("b", *range(1, 100)), of("spike", *[7.0] * 99)]
    spreads = [spread(row, Scale(0, 100), 50) for row in rows]
    full, cut = ceiling(spreads)
    assert cut
    assert full == 2 * spreads[0].cells.max()
    assert ceiling([]) == (0.0, False)


@pytest.mark.parametrize(("ramp", "order"), [(DARK, 1), (LIGHT, -1)])
def test_shades_are_ordered_by_lightness(ramp: tuple[str, ...], order: int) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        return sum(
            w * math.pow(p, 2.2) for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
        )

    lightness = [order * luminance(colour) for colour in ramp]
    assert lightness == sorted(lightness)
    assert len(ramp) == len(SIGNS) == len(set(ramp))


def test_a_coloured_line_shows_two_steps() -> None:
    rows = moving(5)
    picture = heat_map(rows, 80, colour=True)
    drawn = [line for line in picture if "▀" in line.plain]
    assert [line.plain.partition("‹")[0].strip(" ▀›") for line in drawn] == [
        "step 0, 1", "step 2, 3", "step 4",
    ]  # fmt: skip
    styles = {str(part.style) for part in drawn[0].spans}
    assert any(" on #" in style for style in styles)
    assert not any(" on #" in str(part.style) for part in drawn[-1].spans)


def test_without_colour_each_step_has_its_line_of_signs() -> None:
    picture = heat_map(moving(5), 80, colour=False)
    assert [line.plain[:6] for line in picture[:5]] == [f"step {i}" for i in range(5)]
    assert all(set(line.plain[8:]) <= set(SIGNS + "‹›") for line in picture[:5])
    assert not any("#" in str(part.style) for line in picture for part in line.spans)


def test_hostile_labels_stay_text() -> None:
    text = written(ridges(ODD["hostile"], 100), 100)
    assert "</script>" in text
    assert "[bold]x[/bold]" in text
    assert r"two\nlines \x1b[31m" in text
    assert r"\u202ebackwards" in text
    assert "WWWWWWWWWW…WWWWWWWWW" in text
    assert len(text.splitlines()) == len(HOSTILE) + 5


def test_a_histogram_of_a_sketch() -> None:
    assert histogram(Sketch.of([]), 60, 3)[2].plain.strip() == "0  no finite numbers"


def test_colours_need_a_terminal_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).colours
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).colours
    assert not Screen(io.TextIOWrapper(io.BytesIO(), encoding="ascii")).colours
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    assert not Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).colours
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).colours


def test_the_labels_of_an_axis_do_not_touch() -> None:
    shown = Sketch.of(np.linspace(-0.41, 0.35, 36))
    for width in range(40, 120):
        *_, ticks = Frame((), "", width).axis(Scale.of([shown]))
        assert all(re.fullmatch(r"−?\d+(\.\d+)?", label) for label in ticks.plain.split())
