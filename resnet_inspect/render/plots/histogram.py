"""The histogram of one step in a terminal, several rows high."""

from __future__ import annotations

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.plots.ridges import LEAST_CELLS, Frame, captions
from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import Distribution, Spread, remarks, scale_of, spread
from resnet_inspect.render.screen import plain
from resnet_inspect.stats import Sketch

GUTTER = 8
EIGHTHS = 8


def histogram(
    shown: Sketch | Distribution,
    width: int,
    height: int,
    *,
    scale: Scale | Kind = "linear",
    top: float = 0.0,
) -> list[Text]:
    """`height` rows of eighth blocks, the axis, and what lies apart; at most `width` columns.

    The share that reaches the uppermost row is that of the fullest cell, or `top` if that is more.
    """
    row = Distribution("", shown) if isinstance(shown, Sketch) else shown
    chosen = scale_of([row], scale)
    cells = max(LEAST_CELLS, width - GUTTER - 2)
    one = spread(row, chosen, cells)
    top = max(top, float(one.cells.max(initial=0.0)))
    left = [""] * height
    left[0], left[-1] = (spelling.share(top) if top else ""), ("" if height == 1 else "0")
    frame = Frame(tuple(text.rjust(GUTTER - 1) + " " for text in left), " " * GUTTER, cells)
    lines = []
    for place, drawn in enumerate(_rows(one, top, height)):
        edge = one if place == height - 1 else Spread(one.cells, 0.0, 0.0, 0.0, 0.0)
        lines.append(frame.line(place, edge, drawn))
    return [*lines, *frame.axis(chosen), *captions(_apart(row, one, chosen), width)]


def fullest(row: Distribution, width: int, scale: Scale) -> float:
    """The share of the fullest cell of a histogram that is so wide."""
    cells = spread(row, scale, max(LEAST_CELLS, width - GUTTER - 2)).cells
    return float(cells.max(initial=0.0))


def _rows(one: Spread, top: float, height: int) -> list[Text]:
    """Rows from the top; no cell that holds something is blank."""
    cells = len(one.cells)
    if one.remark:
        rows = [" " * cells] * height
        rows[-1] = fitted(one.remark, cells).ljust(cells)
        return [plain(text, "dim") for text in rows]
    heights = [
        max(1, round(height * EIGHTHS * share / top)) if share > 0 and top else 0
        for share in one.cells
    ]
    return [
        Text(
            "".join(spelling.RAMP[min(EIGHTHS, max(0, h - EIGHTHS * row))] for h in heights),
            style="cyan",
        )
        for row in range(height - 1, -1, -1)
    ]


def _apart(row: Distribution, one: Spread, scale: Scale) -> list[str]:
    found = remarks([row], [one], scale)
    if one.zero and one.remark == "":
        found.insert(0, f"not drawn: {spelling.share(one.zero)} of the numbers are zero")
    if one.not_finite:
        found.append(f"{row.not_finite:,} of {row.total:,} are NaN or infinite")
    return found
