"""Texts wrapped to lines of a width. Names are never markup."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from resnet_inspect.paths import printable
from resnet_inspect.render.labels import wrapped
from resnet_inspect.tui.run.places import Link
from resnet_inspect.tui.widgets.line_list import Line

LABEL = 12
ARROW = " →"


def title(text: str, width: int) -> Iterator[Line]:
    """Return an empty line and a heading."""
    yield Line(Text(""))
    yield from (Line(Text(part, "bold")) for part in wrapped(text, width))


def pair(label: str, text: str, width: int, link: Link | None = None) -> Iterator[Line]:
    """Return a label with a text beside it, wrapped. All lines have the same link."""
    label = printable(label)
    if cell_len(label) >= LABEL:
        yield from (Line(Text(part, "dim"), link) for part in wrapped(label, width))
        label = ""
    space = max(8, width - LABEL - (len(ARROW) if link else 0))
    parts = wrapped(text, space) or [""]
    for number, part in enumerate(parts):
        head = label if number == 0 else ""
        line = Text().append(head + " " * (LABEL - cell_len(head)), "dim").append(part)
        if link is not None and number == len(parts) - 1:
            line.append(ARROW, "bold")
        yield Line(line, link)


def sentence(text: str, width: int, style: str = "") -> Iterator[Line]:
    """Return a wrapped text."""
    for part in wrapped(text, width):
        yield Line(Text(part, style))
