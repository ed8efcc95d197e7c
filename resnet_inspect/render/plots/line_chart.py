"""A scalar over steps in a terminal: a line of braille dots with both axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain

# Dots of a braille sign by column and row, as bits above U+2800.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
COLUMNS, ROWS = 2, 4
GUTTER = 12
LEAST_CELLS = 4
PAIR = ("cyan", "magenta")


def line_chart(
    values: Mapping[int, float], width: int, height: int, *, mark: int | None = None
) -> list[Text]:
    """`height` rows of dots, then the axis of steps; at most `width` columns.

    Neighbouring steps are joined if both values are finite. The last line lists the steps of other
    values. `mark` is a step to mark on the axis.
    """
    finite = {step: value for step, value in values.items() if math.isfinite(value)}
    if not finite:
        return [plain("no finite number" if values else "no step", "dim")]
    cells = max(LEAST_CELLS, width - GUTTER)
    first, last = min(values), max(values)
    low, high = min(finite.values()), max(finite.values())
    grid = _grid(values, (first, last), (low, high), (cells, height))
    lines = []
    for line, bits in zip(_labels(low, high, height), grid, strict=True):
        characters = (chr(0x2800 + dots_of) if dots_of else " " for dots_of in bits)
        line.append("".join(characters).rstrip(), "cyan")
        lines.append(line)
    lines.append(_steps(first, last, cells, mark))
    return lines + _broken(values, "")


def pair_chart(courses: Mapping[str, Mapping[int, float]], width: int, height: int) -> list[Text]:
    """Two courses on the same axes, in different colours; at most `width` columns.

    The name of a course, a letter, is to the right of its end. Cells with dots of both courses
    have no colour.
    """
    known = {name: values for name, values in courses.items() if values}
    finite = [v for values in known.values() for v in values.values() if math.isfinite(v)]
    if not finite:
        return [plain("no finite number" if known else "no step", "dim")]
    cells = max(LEAST_CELLS, width - GUTTER - len(courses))
    steps = [step for values in known.values() for step in values]
    reach, limits = (min(steps), max(steps)), (min(finite), max(finite))
    grids = {name: _grid(values, reach, limits, (cells, height)) for name, values in known.items()}
    ends_at = _ends_at(grids)
    lines = []
    for row, line in enumerate(_labels(*limits, height)):
        for column in range(cells):
            over = [name for name in grids if grids[name][row][column]]
            bits = reduce(or_, (grids[name][row][column] for name in over), 0)
            style = style_of(over[0], courses) if len(over) == 1 else ""
            line.append(chr(0x2800 + bits) if bits else " ", style)
        for name in (course for course, at in ends_at.items() if at == row):
            line.append(name, f"bold {style_of(name, courses)}")
        line.rstrip()
        lines.append(line)
    lines.append(_steps(*reach, cells, None))
    return lines + [line for name, values in known.items() for line in _broken(values, f"{name} ")]


def style_of(name: str, courses: Iterable[str]) -> str:
    """The colour of a course among those of a chart."""
    return PAIR[list(courses).index(name) % len(PAIR)]


def _ends_at(grids: Mapping[str, list[list[int]]]) -> dict[str, int]:
    """The row in which each course ends."""
    last_rows = {}
    for name, grid in grids.items():
        places = [(column, row) for row, bits in enumerate(grid) for column, dots in enumerate(bits)
                  if dots]  # fmt: skip
        if places:
            last_rows[name] = max(places)[1]
    return last_rows


def _grid(
    values: Mapping[int, float],
    steps: tuple[int, int],
    limits: tuple[float, float],
    size: tuple[int, int],
) -> list[list[int]]:
    """The dots of each cell, as bits, the uppermost row first; `size` is in cells."""
    cells, height = size
    grid = [[0] * cells for _ in range(height)]
    for x, y in _dots(values, steps, limits, (COLUMNS * cells, ROWS * height)):
        row, column = height - 1 - y // ROWS, x // COLUMNS
        grid[row][column] |= DOTS[x % COLUMNS][ROWS - 1 - y % ROWS]
    return grid


def _labels(low: float, high: float, height: int) -> list[Text]:
    """The start of each row: the axis, with labels at both ends."""
    labels = [""] * height
    labels[-1], labels[0] = ends(low, high)
    return [
        Text(f"{label:>{GUTTER - 2}} ┤" if label else " " * (GUTTER - 1) + "│", "dim")
        for label in labels
    ]


def _broken(values: Mapping[int, float], who: str) -> list[Text]:
    """A line that lists the steps whose value is not finite; empty without such steps."""
    broken = [step for step, value in values.items() if not math.isfinite(value)]
    if not broken:
        return []
    shown = ", ".join(map(str, broken[:6])) + (", …" if len(broken) > 6 else "")
    return [plain(f"{who}not finite at step {shown}", "dim")]


def ends(low: float, high: float) -> tuple[str, str]:
    """Both ends of an axis, with enough digits to distinguish them."""
    texts = spelling.number(low), spelling.number(high)
    for digits in (4, 5, 6):
        if low == high or texts[0] != texts[1]:
            break
        texts = spelling.number(low, digits), spelling.number(high, digits)
    return texts


def _dots(
    values: Mapping[int, float],
    steps: tuple[int, int],
    ends: tuple[float, float],
    size: tuple[int, int],
) -> set[tuple[int, int]]:
    """The positions (x, y) of the dots of a line through the values; (0, 0) is lower left."""
    wide, tall = size[0] - 1, size[1] - 1
    extent = ends[1] - ends[0]

    def place(step: int, value: float) -> tuple[int, int]:
        x = round(wide * (step - steps[0]) / max(1, steps[1] - steps[0]))
        # A constant runs through the middle; halves keep the extent of huge ones finite.
        share = 0.5 if not extent else (value / 2 - ends[0] / 2) / (ends[1] / 2 - ends[0] / 2)
        return x, round(tall * share)

    dots: set[tuple[int, int]] = set()
    before: tuple[int, int] | None = None
    for step in sorted(values):
        if not math.isfinite(values[step]):
            before = None
            continue
        here = place(step, values[step])
        dots.update(_between(before, here) if before else (here,))
        before = here
    return dots


def _between(start: tuple[int, int], end: tuple[int, int]) -> set[tuple[int, int]]:
    """The dots of a straight line from `start` to `end`."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return {
        (
            round(start[0] + (end[0] - start[0]) * at / length),
            round(start[1] + (end[1] - start[1]) * at / length),
        )
        for at in range(length + 1)
    }


def _steps(first: int, last: int, cells: int, mark: int | None) -> Text:
    """The axis of steps: the first and the last step, and the marked one."""
    line = [" "] * cells
    for at, text in ((0, str(first)), (cells, str(last))):
        start = max(0, min(at, cells - len(text)))
        if last > first or not at:
            line[start : start + len(text)] = text
    if mark is not None and first < mark < last:
        here = round((cells - 1) * (mark - first) / max(1, last - first))
        text = f"↑{mark}"
        start = min(here, cells - len(text))
        if start > len(str(first)) and start + len(text) < cells - len(str(last)):
            line[start : start + len(text)] = text
    return Text(" " * GUTTER + "".join(line).rstrip(), "dim")
