"""Texts broken into lines of a width, with names taken literally."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.text import Text

from resnet_inspect.paths import printable
from resnet_inspect.tui.run.places import Link
from resnet_inspect.tui.widgets.line_list import Line

LABEL = 12
ARROW = " →"


def title(text: str, width: int) -> Iterator[Line]:
    """A heading, after an empty line."""
    yield Line(Text(""))
    yield from (Line(Text(part, "bold")) for part in broken(text, width))


def pair(label: str, text: str, width: int, link: Link | None = None) -> Iterator[Line]:
    """A label and a text beside it, in as many lines as it takes; all lead to the same place."""
    label = printable(label)
    if cell_len(label) >= LABEL:
        yield from (Line(Text(part, "dim"), link) for part in broken(label, width))
        label = ""
    room = max(8, width - LABEL - (len(ARROW) if link else 0))
    parts = broken(text, room) or [""]
    for number, part in enumerate(parts):
        head = label if number == 0 else ""
        made = Text().append(head + " " * (LABEL - cell_len(head)), "dim").append(part)
        if link is not None and number == len(parts) - 1:
            made.append(ARROW, "bold")
        yield Line(made, link)


def sentence(text: str, width: int, style: str = "") -> Iterator[Line]:
    """A text in as many lines as it takes."""
    for part in broken(text, width):
        yield Line(Text(part, style))


def broken(text: str, width: int) -> list[str]:
    """Lines of at most so many columns, broken at spaces, within words where they are too long."""
    shown = printable(text)
    if cell_len(shown) <= width:
        return [shown]
    lines = textwrap.wrap(shown, max(4, width), break_long_words=False, break_on_hyphens=False)
    return [piece for line in lines for piece in _cut(line, max(4, width))]


def _cut(line: str, width: int) -> Iterable[str]:
    """Pieces of at most so many columns, a path after one of its slashes; signs may be two columns
    wide.
    """
    while cell_len(line) > width:
        piece = _first(line, width)
        whole = piece.rfind("/") + 1
        at = whole if whole > 1 else len(piece)
        yield line[:at]
        line = line[at:]
    yield line


def _first(line: str, width: int) -> str:
    """What of a line fits into so many columns; at least one sign."""
    used = 0
    for at, sign in enumerate(line):
        used += cell_len(sign)
        if used > width:
            return line[: max(at, 1)]
    return line
