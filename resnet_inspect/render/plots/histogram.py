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
    """`height` rows of eighth blocks, the axis, and remarks; at most `width` columns.

    The top of the plot is the share of the fullest cell, or `top` if that is larger.
    """
    row = Distribution("", shown) if isinstance(shown, Sketch) else shown
    chosen = scale_of([row], scale)
    cells = max(LEAST_CELLS, width - GUTTER - 2)
    shares = spread(row, chosen, cells)
    top = max(top, float(shares.cells.max(initial=0.0)))
    left = [""] * height
    left[0], left[-1] = (spelling.share(top) if top else ""), ("" if height == 1 else "0")
    frame = Frame(tuple(text.rjust(GUTTER - 1) + " " for text in left), " " * GUTTER, cells)
    lines = []
    for place, drawn in enumerate(_rows(shares, top, height)):
        edge = shares if place == height - 1 else Spread(shares.cells, 0.0, 0.0, 0.0, 0.0)
        lines.append(frame.line(place, edge, drawn))
    return [*lines, *frame.axis(chosen), *captions(_remarks(row, shares, chosen), width)]


def fullest(row: Distribution, width: int, scale: Scale) -> float:
    """The share of the fullest cell of a histogram of that width."""
    cells = spread(row, scale, max(LEAST_CELLS, width - GUTTER - 2)).cells
    return float(cells.max(initial=0.0))


def _rows(shares: Spread, top: float, height: int) -> list[Text]:
    """Rows from the top; only empty cells are blank."""
    cells = len(shares.cells)
    if shares.remark:
        rows = [" " * cells] * height
        rows[-1] = fitted(shares.remark, cells).ljust(cells)
        return [plain(text, "dim") for text in rows]
    heights = [
        max(1, round(height * EIGHTHS * share / top)) if share > 0 and top else 0
        for share in shares.cells
    ]
    return [
        Text(
            "".join(spelling.RAMP[min(EIGHTHS, max(0, h - EIGHTHS * row))] for h in heights),
            style="cyan",
        )
        for row in range(height - 1, -1, -1)
    ]


def _remarks(row: Distribution, shares: Spread, scale: Scale) -> list[str]:
    texts = remarks([row], [shares], scale)
    if shares.zero and shares.remark == "":
        texts.insert(
            0, f"{spelling.share(shares.zero)} of the values are 0. The bars leave them out"
        )
    if shares.not_finite:
        texts.append(f"{row.not_finite:,} of {row.total:,} values are NaN or infinite")
    return texts
