"""Texts wrapped to lines of a width. Names are never markup."""

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
    """Return an empty line and a heading."""
    yield Line(Text(""))
    yield from (Line(Text(part, "bold")) for part in wrap_lines(text, width))


def pair(label: str, text: str, width: int, link: Link | None = None) -> Iterator[Line]:
    """Return a label with a text beside it, wrapped. All lines have the same link."""
    label = printable(label)
    if cell_len(label) >= LABEL:
        yield from (Line(Text(part, "dim"), link) for part in wrap_lines(label, width))
        label = ""
    space = max(8, width - LABEL - (len(ARROW) if link else 0))
    parts = wrap_lines(text, space) or [""]
    for number, part in enumerate(parts):
        head = label if number == 0 else ""
        line = Text().append(head + " " * (LABEL - cell_len(head)), "dim").append(part)
        if link is not None and number == len(parts) - 1:
            line.append(ARROW, "bold")
        yield Line(line, link)


def sentence(text: str, width: int, style: str = "") -> Iterator[Line]:
    """Return a wrapped text."""
    for part in wrap_lines(text, width):
        yield Line(Text(part, style))


def wrap_lines(text: str, width: int) -> list[str]:
    """Return lines of at most `width` cells, wrapped at spaces, or inside a longer word."""
    shown = printable(text)
    if cell_len(shown) <= width:
        return [shown]
    lines = textwrap.wrap(shown, max(4, width), break_long_words=False, break_on_hyphens=False)
    return [piece for line in lines for piece in _cut(line, max(4, width))]


def _cut(line: str, width: int) -> Iterable[str]:
    """Return pieces of at most `width` cells. A path is cut after a slash."""
    while cell_len(line) > width:
        piece = _first(line, width)
        whole = piece.rfind("/") + 1
        at = whole if whole > 1 else len(piece)
        yield line[:at]
        line = line[at:]
    yield line


def _first(line: str, width: int) -> str:
    """Return the start of a line that fits into `width` cells, at least one character."""
    used = 0
    for at, character in enumerate(line):
        used += cell_len(character)
        if used > width:
            return line[: max(at, 1)]
    return line
