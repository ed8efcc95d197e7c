"""Output to a terminal or a pipe through rich, without interpreting markup."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from resnet_inspect.paths import printable
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.spelling import ASCII

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPE_WIDTH = 100
LABEL = 10  # columns of the labels of `Screen.pair`
UNBOUNDED = 100_000
GAP = 2  # between the columns of a table


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError for the command line to handle; rich would exit with code 1."""
        raise BrokenPipeError


class Screen:
    """A writer to stdout, or `file`, that changes no names: no markup, no emoji codes.

    If the encoding of the output lacks block characters, ASCII characters replace all others. In a
    pipe or a file, lines are wrapped at `width` columns; the default is COLUMNS, else 100.
    """

    def __init__(self, file: IO[str] | None = None, *, width: int | None = None) -> None:
        file = file or sys.stdout
        self.console = _Console(
            file=file, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width
        )
        if width is None and not self.console.is_terminal and "COLUMNS" not in os.environ:
            self.console.width = PIPE_WIDTH
        self._ascii = not can_encode(file)

    @property
    def width(self) -> int:
        """Number of columns in a line."""
        return self.console.width

    @property
    def colours(self) -> bool:
        """Whether shades of a colour can be shown: at least 256 colours, and NO_COLOR not set."""
        many = self.console.color_system in ("256", "truecolor")
        return many and not self.console.no_color and not self._ascii

    def line(self, *parts: RenderableType) -> None:
        """Write parts below each other."""
        for part in parts:
            self._write(part)

    def whole(self, text: Text) -> None:
        """Write a line without wrapping it, such as a command to copy."""
        self._write(text, whole=True)

    def pair(self, label: str, text: str, lead: str = "") -> None:
        """Write a label, and a text beside it that is wrapped in its own column.

        `lead` is written before the text. Further lines are indented by it.
        """
        for at, line in enumerate(wrapped(text, self.width - LABEL - GAP - len(lead))):
            shown = plain(("" if at else label).ljust(LABEL + GAP), "dim")
            self._write(shown.append_text(plain((" " * len(lead) if at else lead) + line)))

    def table(self, variants: Iterable[Table]) -> None:
        """Write the first variant of a table that fits, else the last one.

        `variants` are ordered from wide to narrow. In a pipe or a file the first one is written,
        without wrapping its lines.
        """
        if self.console.is_terminal:
            for variant in variants:
                fitting = variant
                if self._fix(variant, self.width):
                    break
            self._write(fitting)
            return
        before, self.console.width = self.console.width, UNBOUNDED
        whole = next(iter(variants))
        self._fix(whole, UNBOUNDED)
        self._write(whole)
        self.console.width = before

    def _fix(self, part: Table, room: int) -> bool:
        """Whether a table fits in `room` columns; if so, fix the widths of its columns.

        rich measures each cell of a column without a fixed width two or three times.
        """
        needed = [self._width(column) for column in part.columns]
        fits = sum(needed) + GAP * (len(needed) - 1) <= room
        if fits:
            for column, width in zip(part.columns, needed, strict=True):
                column.width = width
        return fits

    def _width(self, column: Column) -> int:
        """The width of a column without wrapped cells."""
        if column.width is not None:
            return column.width
        cells = (column.header, *column.cells)
        return max(self._cell_width(cell) for cell in cells)

    def _cell_width(self, cell: RenderableType) -> int:
        if isinstance(cell, Text):
            return max(map(cell_len, cell.plain.splitlines()), default=0)
        room = self.console.options.update(width=UNBOUNDED)
        return Measurement.get(self.console, room, cell).maximum

    def _write(self, part: RenderableType, *, whole: bool = False) -> None:
        if not self._ascii:
            self.console.print(part, soft_wrap=whole)
            return
        with self.console.capture() as captured:
            self.console.print(part, soft_wrap=whole)
        text = captured.get().translate(ASCII)
        self.console.file.write(text.encode("ascii", "replace").decode())


def plain(text: str, style: str = "") -> Text:
    """Text without markup; control characters are shown as escapes."""
    return Text(printable(text), style=style)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without a frame; the columns named in `right` are aligned right."""
    grid = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        grid.add_column(
            plain(name),
            justify="right" if name in right else "left",
            overflow="fold",
            no_wrap=False,
        )
    return grid


def can_encode(file: IO[str]) -> bool:
    """Whether the encoding of a text stream has block characters."""
    try:
        "▁×→…".encode(getattr(file, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
