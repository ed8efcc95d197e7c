"""A scalar over steps in a terminal: a line of braille dots with both axes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain

# Dots of a braille sign by column and row, as bits above U+2800.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
COLUMNS, ROWS = 2, 4
GUTTER = 12
LEAST_CELLS = 4


def line_chart(
    values: Mapping[int, float], width: int, height: int, *, mark: int | None = None
) -> list[Text]:
    """`height` rows of dots, then the steps; at most `width` columns.

    Neighbouring steps are joined unless one of them is not finite; those are told below. `mark`
    is a step to point at.
    """
    finite = {step: value for step, value in values.items() if math.isfinite(value)}
    if not finite:
        return [plain("no finite number" if values else "no step", "dim")]
    cells = max(LEAST_CELLS, width - GUTTER)
    first, last = min(values), max(values)
    low, high = min(finite.values()), max(finite.values())
    dots = _dots(values, (first, last), (low, high), (COLUMNS * cells, ROWS * height))
    grid = [[0] * cells for _ in range(height)]
    for x, y in dots:
        row, column = height - 1 - y // ROWS, x // COLUMNS
        grid[row][column] |= DOTS[x % COLUMNS][ROWS - 1 - y % ROWS]
    labels = [""] * height
    labels[-1], labels[0] = ends(low, high)
    lines = []
    for label, bits in zip(labels, grid, strict=True):
        made = Text(f"{label:>{GUTTER - 2}} ┤" if label else " " * (GUTTER - 1) + "│", "dim")
        signs = (chr(0x2800 + dots_of) if dots_of else " " for dots_of in bits)
        made.append("".join(signs).rstrip(), "cyan")
        lines.append(made)
    lines.append(_steps(first, last, cells, mark))
    broken = [step for step, value in values.items() if not math.isfinite(value)]
    if broken:
        shown = ", ".join(map(str, broken[:6])) + (", …" if len(broken) > 6 else "")
        lines.append(plain(f"not finite at step {shown}", "dim"))
    return lines


def ends(low: float, high: float) -> tuple[str, str]:
    """Both ends of an axis, with as many digits as it takes to tell them apart."""
    told = spelling.number(low), spelling.number(high)
    for digits in (4, 5, 6):
        if low == high or told[0] != told[1]:
            break
        told = spelling.number(low, digits), spelling.number(high, digits)
    return told


def _dots(
    values: Mapping[int, float],
    steps: tuple[int, int],
    ends: tuple[float, float],
    size: tuple[int, int],
) -> set[tuple[int, int]]:
    """The dots of a line through the values, (0, 0) at the lower left."""
    wide, tall = size[0] - 1, size[1] - 1
    extent = ends[1] - ends[0]

    def place(step: int, value: float) -> tuple[int, int]:
        x = round(wide * (step - steps[0]) / max(1, steps[1] - steps[0]))
        # A constant runs through the middle; halves keep the extent of huge ones finite.
        share = 0.5 if not extent else (value / 2 - ends[0] / 2) / (ends[1] / 2 - ends[0] / 2)
        return x, round(tall * share)

    found: set[tuple[int, int]] = set()
    before: tuple[int, int] | None = None
    for step in sorted(values):
        if not math.isfinite(values[step]):
            before = None
            continue
        here = place(step, values[step])
        found.update(_between(before, here) if before else (here,))
        before = here
    return found


def _between(start: tuple[int, int], end: tuple[int, int]) -> set[tuple[int, int]]:
    """The dots of a straight line."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return {
        (
            round(start[0] + (end[0] - start[0]) * at / length),
            round(start[1] + (end[1] - start[1]) * at / length),
        )
        for at in range(length + 1)
    }


def _steps(first: int, last: int, cells: int, mark: int | None) -> Text:
    """The axis below: first and last step, and the one that is pointed at."""
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
