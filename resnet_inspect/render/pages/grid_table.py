"""The tables of the answer page. A cell never takes more than a line.

In a narrow terminal bars become shorter, then names, then columns of numbers are omitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import shortened
from resnet_inspect.render.pages.blocks import Bars, Cell, Course, Grid, LayerLink, Range
from resnet_inspect.render.screen import plain, table

CELLS = 24
LEAST_CELLS = 10
# Columns of numbers are omitted before names become shorter than this.
LEAST_NAME = 12
PAD = 2
BARS = "cyan"


def grid_table(grid_of: Callable[[int], Grid], width: int) -> Table:
    """The table of `grid_of(cells)`, whose bars have that many cells, in at most `width` columns.

    A caption names the omitted columns.
    """
    for cells in range(CELLS, LEAST_CELLS - 1, -2):
        drawn = _GridDraft(grid_of(cells), cells)
        if drawn.width <= width:
            return drawn.table()
    left_out: list[str] = []
    room = width - drawn.width_of_others
    while room < drawn.least_room and drawn.numbers:
        left_out.insert(0, drawn.omit_number())
        room = width - drawn.width_of_others
    drawn.shorten_names(room)
    return drawn.table(left_out)


class _GridDraft:
    """The columns of a table as texts, each with its heading."""

    def __init__(self, grid: Grid, cells: int) -> None:
        self.right = grid.right
        self.columns: dict[str, list[str]] = {}
        self.bars: list[str] = []
        for place, heading in enumerate(grid.columns):
            column = [row[place] for row in grid.rows]
            name = _ends(heading, cells) if isinstance(heading, Range) else heading
            self.columns[name] = [_text(cell, cells) for cell in column]
            if any(isinstance(cell, Bars | Course) for cell in column):
                self.bars.append(name)

    @property
    def numbers(self) -> list[str]:
        return [name for name in self.columns if name in self.right]

    @property
    def names(self) -> list[str]:
        return [name for name in self.columns if name not in (*self.right, *self.bars)]

    def _width(self, name: str) -> int:
        return max(map(cell_len, (name, *self.columns[name])))

    @property
    def width(self) -> int:
        """The terminal columns that the table takes."""
        return PAD * (len(self.columns) - 1) + sum(map(self._width, self.columns))

    @property
    def width_of_others(self) -> int:
        """The terminal columns of everything except names."""
        return self.width - sum(map(self._width, self.names))

    @property
    def least_room(self) -> int:
        """The terminal columns that names need at least."""
        return sum(min(self._width(name), LEAST_NAME) for name in self.names)

    def omit_number(self) -> str:
        """Omit the last column of numbers, and return its heading."""
        name = self.numbers[-1]
        del self.columns[name]
        return name

    def shorten_names(self, room: int) -> None:
        """Shorten names to `room` columns in total: only the longest ones."""
        most = max(map(self._width, self.names), default=0)
        while most > 1 and sum(min(self._width(name), most) for name in self.names) > room:
            most -= 1
        for name in self.names:
            self.columns[name] = shortened(self.columns[name], max(most, cell_len(name)))

    def table(self, left_out: Sequence[str] = ()) -> Table:
        """The table, with a caption on the columns `left_out`."""
        result = table(*self.columns, right=self.right)
        for column in result.columns:
            column.no_wrap = True
        for row in self._rows():
            result.add_row(*row)
        if left_out:
            result.caption = f"too narrow for: {', '.join(left_out)}"
            result.caption_justify = "left"
        return result

    def _rows(self) -> Iterator[list[Text]]:
        for texts in zip(*self.columns.values(), strict=True):
            yield [
                Text(text, style=BARS) if name in self.bars else plain(text)
                for name, text in zip(self.columns, texts, strict=True)
            ]


def _ends(span: Range, cells: int) -> str:
    left, right = spelling.number(span.low, 2), spelling.number(span.high, 2)
    return left + " " * max(1, cells - len(left) - len(right)) + right


def _text(cell: Cell, cells: int) -> str:
    match cell:
        case LayerLink(layer):
            return layer
        case Bars(shares):
            return spelling.bars(list(shares))
        case Course(values):
            return course(values, cells)
    return cell


def course(values: tuple[float, ...], cells: int) -> str:
    """Values over steps as a row of bars, scaled to their range; ! marks NaN or infinity."""
    groups = np.array_split(np.asarray(values), min(cells, len(values)))
    means = np.array([group.mean() for group in groups])
    finite = means[np.isfinite(means)]
    if not finite.size:
        return "!" * len(means)
    low, span = finite.min(), np.ptp(finite)
    ramp = spelling.RAMP
    return "".join(
        "!" if not np.isfinite(mean) else ramp[1 + round(7 * (mean - low) / span)] if span else "▄"
        for mean in means
    )
