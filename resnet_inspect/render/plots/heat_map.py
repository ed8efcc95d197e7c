"""A heat map of steps and values in a terminal: two steps a line in colour, else characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted, joined
from resnet_inspect.render.plots.intensity import DARK, SIGNS, ceiling, level
from resnet_inspect.render.plots.ridges import Frame, captions
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


def heat_map(
    rows: Sequence[Distribution],
    width: int,
    *,
    scale: Scale | Kind = "linear",
    colour: bool,
    palette: Sequence[str] = DARK,
) -> list[Text]:
    """Lines of at most `width` columns, steps downwards; without colour ten characters tell.

    `palette` is DARK or LIGHT, as the terminal is.
    """
    if not rows:
        return [plain(NO_ROWS, "dim")]
    chosen = scale_of(rows, scale)
    # In colour the columns beside the map speak of both steps of a line together.
    pairs = [rows[at : at + 2] for at in range(0, len(rows), 2)] if colour else [[r] for r in rows]
    both = [merged(pair, 1)[0] for pair in pairs]
    ends = [spread(row, chosen, 1) for row in both]
    labels = [joined(pair[0].label, pair[1].label, ", ") if pair[1:] else "" for pair in pairs]
    labels = [label or pair[0].label for label, pair in zip(labels, pairs, strict=True)]
    frame = Frame.around(both, ends, width, labels)
    spreads = [spread(row, chosen, frame.cells) for row in rows]
    full, cut = ceiling(spreads)
    lines = frame.header()
    for place, one in enumerate(ends):
        if one.remark:
            drawn = plain(fitted(one.remark, frame.cells).ljust(frame.cells), "dim")
        elif colour:
            drawn = _halves(spreads[2 * place : 2 * place + 2], full, palette)
        else:
            drawn = Text("".join(SIGNS[level(share, full)] for share in spreads[place].cells))
        lines.append(frame.line(place, one, drawn))
    lines += frame.axis(chosen)
    lines += _legend(full, cut, width, palette if colour else None)
    blank = colour and any(one.remark for one in spreads)
    more = ["unpainted: only zeros or no finite numbers"] if blank else []
    return [*lines, *captions([*remarks(rows, spreads, chosen), *more], width)]


def _halves(pair: Sequence[Spread], full: float, palette: Sequence[str]) -> Text:
    """One or two steps in one line: the upper halves of its cells, and the lower ones."""
    upper, lower = _levels(pair[0], full), _levels(pair[1], full) if pair[1:] else None
    cells = range(len(pair[0].cells))
    styles = [
        ("" if upper is None else palette[upper[at]], "" if lower is None else palette[lower[at]])
        for at in cells
    ]
    made = Text()
    for (over, under), run in groupby(styles):
        length = len(list(run))
        if over:
            made.append("▀" * length, f"{over} on {under}" if under else over)
        else:
            made.append("▄" * length, under)
    return made


def _levels(one: Spread, full: float) -> list[int] | None:
    return None if one.remark else [level(share, full) for share in one.cells]


def _legend(full: float, cut: bool, width: int, palette: Sequence[str] | None) -> list[Text]:
    """What the colours or characters mean, on one line where that is wide enough."""
    if not full:
        return []
    made = Text("0 ")
    for place, sign in enumerate(SIGNS):
        made.append("█" if palette else sign, palette[place] if palette else "")
    end = f" {spelling.share(full)}" + (" and more" if cut else "")
    made.append(end).append(" of a step's numbers in one cell", "dim")
    if made.cell_len <= width:
        return [made]
    short = made[: len(made) - len(" of a step's numbers in one cell")]
    return [short, *captions(["of a step's numbers in one cell"], width)]
