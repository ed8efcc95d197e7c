"""Histograms over steps in a terminal: a row of eighth blocks for each step, above one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import column, fitted, wrapped
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
ROW_SCALE = "each row is scaled to its own maximum"
ZERO, NOT_FINITE = "zero", "NaN, inf"
ZERO_COLUMN = "zero: share of the values that are 0. The bars leave them out"


def ridges(
    rows: Sequence[Distribution], width: int, *, scale: Scale | Kind = "linear"
) -> list[Text]:
    """Lines of at most `width` columns.

    A column shows the shares of zeros; ‹ and › mark values outside the scale.
    """
    if not rows:
        return [plain(NO_ROWS, "dim")]
    chosen = scale_of(rows, scale)
    frame = Frame.around(rows, [spread(row, chosen, 1) for row in rows], width)
    spreads = [spread(row, chosen, frame.cells) for row in rows]
    lines = frame.header()
    for place, shares in enumerate(spreads):
        if shares.remark:
            bars = plain(fitted(shares.remark, frame.cells).ljust(frame.cells), "dim")
        else:
            bars = Text(spelling.bars(list(shares.cells)), style="cyan")
        lines.append(frame.line(place, shares, bars))
    lines += frame.axis(chosen)
    more = [ZERO_COLUMN] if any(shares.zero for shares in spreads) else []
    more += [ROW_SCALE] if len(rows) > 1 else []
    return [*lines, *captions([*remarks(rows, spreads, chosen), *more], width)]


@dataclass(frozen=True)
class Frame:
    """Labels, number columns and axis around the cells of a plot."""

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
        """The frame with a column of labels, and columns for zeros, NaN and infinities if any.

        `labels` replace the labels of the rows, for rows that share a line.
        """
        parts = [["", *(labels or [row.label for row in rows])]]
        if any(shares.zero for shares in spreads):
            parts.append([ZERO, *(spelling.share(shares.zero) for shares in spreads)])
        if any(shares.not_finite for shares in spreads):
            parts.append([NOT_FINITE, *(spelling.share(shares.not_finite) for shares in spreads)])
        columns = [column(parts[0], max(6, width // 4))]
        columns += [column(part, 9, right=True) for part in parts[1:]]
        left = ["  ".join(cells) + " " for cells in zip(*columns, strict=True)]
        # The marks on both sides take two more columns.
        return cls(tuple(left[1:]), left[0], max(LEAST_CELLS, width - Text(left[0]).cell_len - 2))

    def header(self) -> list[Text]:
        """The names of the number columns, where there are any."""
        return [Text(self.head.rstrip(), style="bold")] if self.head.strip() else []

    def line(self, place: int, shares: Spread, drawn: Text) -> Text:
        """The line of a row: label, numbers, and the drawn cells between the marks."""
        marks = ("‹" if shares.below else " "), ("›" if shares.above else " ")
        text = Text(self.left[place], no_wrap=True)
        text.append(marks[0], "bold").append_text(drawn).append(marks[1], "bold")
        text.rstrip()
        return text

    def axis(self, scale: Scale) -> list[Text]:
        """A line with ticks, and their labels below."""
        # Labels that are 1 column apart may touch after rounding, but not those 2 columns apart.
        line, labels, touching = self._axis(scale, 1)
        if touching:
            line, labels, _ = self._axis(scale, 2)
        indent = " " * (Text(self.head).cell_len + 1)
        return [
            Text(indent + "".join(line), style="dim"),
            Text(indent + "".join(labels).rstrip(), style="dim"),
        ]

    def _axis(self, scale: Scale, gap: int) -> tuple[list[str], list[str], bool]:
        """The characters of the line and of the labels, and whether two labels touch."""
        line, labels = ["─"] * self.cells, [" "] * self.cells
        end, touching = -1, False
        for at, text in scale.ticks(self.cells, len, gap):
            tick = min(self.cells - 1, int(at * self.cells))
            line[tick] = "┬"
            start = int(span(tick + 0.5, len(text), self.cells)[0])
            labels[start : start + len(text)] = text
            touching = touching or start == end
            end = start + len(text)
        return line, labels, touching


def captions(texts: Sequence[str], width: int) -> list[Text]:
    """Remarks below a plot, wrapped at words."""
    return [plain(line, "dim") for text in texts for line in wrapped(text, width)]
