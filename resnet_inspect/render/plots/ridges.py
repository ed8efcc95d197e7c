"""Histograms over steps in a terminal: one row of eighth blocks a step, above one axis."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import column, fitted
from resnet_inspect.render.plots.scale import Kind, Scale, span
from resnet_inspect.render.plots.spread import (
    NO_ROWS,
    Distribution,
    Spread,
    remarks,
    scale_of,
    spread,
)
from resnet_inspect.render.screen import plain

LEAST_CELLS = 8
OWN_HEIGHT = "each row is scaled to its own fullest cell"
ZERO, NOT_FINITE = "zero", "NaN, inf"


def ridges(
    rows: Sequence[Distribution], width: int, *, scale: Scale | Kind = "linear"
) -> list[Text]:
    """Lines of at most `width` columns; shares of zeros stand in a column, ‹ › mark what is
    outside.
    """
    if not rows:
        return [plain(NO_ROWS, "dim")]
    chosen = scale_of(rows, scale)
    frame = Frame.around(rows, [spread(row, chosen, 1) for row in rows], width)
    spreads = [spread(row, chosen, frame.cells) for row in rows]
    lines = frame.header()
    for place, one in enumerate(spreads):
        if one.remark:
            bars = plain(fitted(one.remark, frame.cells).ljust(frame.cells), "dim")
        else:
            bars = Text(spelling.bars(list(one.cells)), style="cyan")
        lines.append(frame.line(place, one, bars))
    lines += frame.axis(chosen)
    more = [OWN_HEIGHT] if len(rows) > 1 else []
    return [*lines, *captions([*remarks(rows, spreads, chosen), *more], width)]


@dataclass(frozen=True)
class Frame:
    """What stands beside and below the cells: labels, number columns, axis."""

    left: tuple[str, ...]
    head: str
    cells: int

    @classmethod
    def around(
        cls,
        rows: Sequence[Distribution],
        spreads: Sequence[Spread],
        width: int,
        labels: Sequence[str] = (),
    ) -> Frame:
        """Columns for labels, and for zeros and numbers that are not finite where there are any.

        `labels` stand for those of the rows where rows are drawn together.
        """
        parts = [["", *(labels or [row.label for row in rows])]]
        if any(one.zero for one in spreads):
            parts.append([ZERO, *(spelling.share(one.zero) for one in spreads)])
        if any(one.not_finite for one in spreads):
            parts.append([NOT_FINITE, *(spelling.share(one.not_finite) for one in spreads)])
        columns = [column(parts[0], max(6, width // 5))]
        columns += [column(part, 9, right=True) for part in parts[1:]]
        left = ["  ".join(cells) + " " for cells in zip(*columns, strict=True)]
        # Two more columns are for the marks on both sides.
        return cls(tuple(left[1:]), left[0], max(LEAST_CELLS, width - Text(left[0]).cell_len - 2))

    def header(self) -> list[Text]:
        """The names of the number columns, where there are any."""
        return [Text(self.head.rstrip(), style="bold")] if self.head.strip() else []

    def line(self, place: int, one: Spread, drawn: Text) -> Text:
        """One row: label, numbers, marks and what was drawn between them."""
        marks = ("‹" if one.below else " "), ("›" if one.above else " ")
        made = Text(self.left[place], no_wrap=True)
        made.append(marks[0], "bold").append_text(drawn).append(marks[1], "bold")
        made.rstrip()
        return made

    def axis(self, scale: Scale) -> list[Text]:
        """A line with ticks, and their labels below."""
        line, labels = ["─"] * self.cells, [" "] * self.cells
        for at, text in scale.ticks(self.cells, len, 1):
            tick = min(self.cells - 1, int(at * self.cells))
            line[tick] = "┬"
            start = int(span(tick + 0.5, len(text), self.cells)[0])
            labels[start : start + len(text)] = text
        indent = " " * (Text(self.head).cell_len + 1)
        return [
            Text(indent + "".join(line), style="dim"),
            Text(indent + "".join(labels).rstrip(), style="dim"),
        ]


def captions(texts: Sequence[str], width: int) -> list[Text]:
    """Remarks below a picture, broken at words."""
    return [plain(line, "dim") for text in texts for line in textwrap.wrap(text, width)]
