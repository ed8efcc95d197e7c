"""Writing to a terminal or a pipe through rich, with nothing read as markup."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from resnet_inspect.paths import printable
from resnet_inspect.render.spelling import ASCII

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPE_WIDTH = 100
UNBOUNDED = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line what a closed pipe means; rich would exit with 1."""
        raise BrokenPipeError


class Screen:
    """stdout as the program writes it: data only, names as they are, no emoji codes.

    Where the output's encoding cannot hold them, signs are replaced by ASCII ones. To a pipe or a
    file lines are `width` columns (100, or COLUMNS where that is set).
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
        """Columns of a line."""
        return self.console.width

    @property
    def colours(self) -> bool:
        """Whether shades of a colour can be told apart: at least 256, not refused by NO_COLOR."""
        many = self.console.color_system in ("256", "truecolor")
        return many and not self.console.no_color and not self._ascii

    def line(self, *parts: RenderableType) -> None:
        """Write parts one below the other."""
        for part in parts:
            self._write(part)

    def whole(self, text: Text) -> None:
        """Write one line, however long it is: such as a command that is to be copied."""
        self._write(text, whole=True)

    def table(self, variants: Iterable[Table]) -> None:
        """Write the first variant of a table that fits, else the last; widest first.

        To a pipe or a file the first is written, its lines as long as they need to be.
        """
        if self.console.is_terminal:
            for one in variants:
                fitting = one
                if self._needs(one) <= self.width:
                    break
            self._write(fitting)
            return
        before, self.console.width = self.console.width, UNBOUNDED
        self._write(next(iter(variants)))
        self.console.width = before

    def _needs(self, part: Table) -> int:
        """The columns a table takes if nothing in it is folded."""
        room = self.console.options.update(width=UNBOUNDED)
        return Measurement.get(self.console, room, part).maximum

    def _write(self, part: RenderableType, *, whole: bool = False) -> None:
        if not self._ascii:
            self.console.print(part, soft_wrap=whole)
            return
        with self.console.capture() as captured:
            self.console.print(part, soft_wrap=whole)
        text = captured.get().translate(ASCII)
        self.console.file.write(text.encode("ascii", "replace").decode())


def plain(text: str, style: str = "") -> Text:
    """Text that stays as it is; control characters are shown as escapes, not obeyed."""
    return Text(printable(text), style=style)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without frame; the columns named in `right` are aligned right, none wraps."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(
            plain(name),
            justify="right" if name in right else "left",
            overflow="fold",
            no_wrap=False,
        )
    return made


def can_encode(file: IO[str]) -> bool:
    """Whether a text stream can hold block characters."""
    try:
        "▁×→…".encode(getattr(file, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
