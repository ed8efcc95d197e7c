"""A heat map of steps and values in a terminal.

In colour a line shows two steps. Without colour it shows one step, as characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted, joined
from resnet_inspect.render.plots.intensity import DARK, SIGNS, ceiling, level
from resnet_inspect.render.plots.ridges import ZERO_COLUMN, Frame, captions
from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import (
    NO_ROWS,
    Distribution,
    Spread,
    merged,
    remarks,
    scale_of,
    spread,
)
from resnet_inspect.render.screen import plain

UNIT = "of a step's values in one cell"


def heat_map(
    rows: Sequence[Distribution],
    width: int,
    *,
    scale: Scale | Kind = "linear",
    colour: bool,
    palette: Sequence[str] = DARK,
) -> list[Text]:
    """Lines of at most `width` columns, the first step on top.

    `palette` is DARK or LIGHT, according to the terminal. Without `colour` ten characters show the
    levels.
    """
    if not rows:
        return [plain(NO_ROWS, "dim")]
    chosen = scale_of(rows, scale)
    # In colour the columns to the left of the map are for both steps of a line together.
    pairs = [rows[at : at + 2] for at in range(0, len(rows), 2)] if colour else [[r] for r in rows]
    both = [merged(pair, 1)[0] for pair in pairs]
    ends = [spread(row, chosen, 1) for row in both]
    labels = [joined(pair[0].label, pair[1].label, ", ") if pair[1:] else "" for pair in pairs]
    labels = [label or pair[0].label for label, pair in zip(labels, pairs, strict=True)]
    frame = Frame.around(both, ends, width, labels)
    spreads = [spread(row, chosen, frame.cells) for row in rows]
    full, cut = ceiling(spreads)
    lines = frame.header()
    for place, end in enumerate(ends):
        if end.remark:
            drawn = plain(fitted(end.remark, frame.cells).ljust(frame.cells), "dim")
        elif colour:
            drawn = _halves(spreads[2 * place : 2 * place + 2], full, palette)
        else:
            drawn = Text("".join(SIGNS[level(share, full)] for share in spreads[place].cells))
        lines.append(frame.line(place, end, drawn))
    lines += frame.axis(chosen)
    lines += _legend(full, cut, width, palette if colour else None)
    blank = colour and any(row_spread.remark for row_spread in spreads)
    more = [ZERO_COLUMN] if any(row_spread.zero for row_spread in spreads) else []
    more += ["steps without colour: all zero or no finite numbers"] if blank else []
    return [*lines, *captions([*remarks(rows, spreads, chosen), *more], width)]


def _halves(pair: Sequence[Spread], full: float, palette: Sequence[str]) -> Text:
    """A line for one or two steps: the first in the upper halves of its cells."""
    upper, lower = _levels(pair[0], full), _levels(pair[1], full) if pair[1:] else None
    cells = range(len(pair[0].cells))
    styles = [
        ("" if upper is None else palette[upper[at]], "" if lower is None else palette[lower[at]])
        for at in cells
    ]
    text = Text()
    for (over, under), run in groupby(styles):
        length = len(list(run))
        if over:
            text.append("▀" * length, f"{over} on {under}" if under else over)
        else:
            text.append("▄" * length, under)
    return text


def _levels(row: Spread, full: float) -> list[int] | None:
    return None if row.remark else [level(share, full) for share in row.cells]


def _legend(full: float, cut: bool, width: int, palette: Sequence[str] | None) -> list[Text]:
    """The legend of colours or characters; more than one line if `width` is too small."""
    if not full:
        return []
    text = Text("0 ")
    for place, character in enumerate(SIGNS):
        text.append("█" if palette else character, palette[place] if palette else "")
    text.append(f" {spelling.share(full)}" + (" or more" if cut else ""))
    whole = text.copy().append(f" {UNIT}", "dim")
    return [whole] if whole.cell_len <= width else [text, *captions([UNIT], width)]
