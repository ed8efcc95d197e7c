"""Labels and texts that fit a width: printable, shortened, aligned in columns, wrapped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

from resnet_inspect.paths import printable

CJK = r"\u2e80-\u2fff\u3005-\u3007\u3021-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
# Parts between which a line may end: a word, or a Chinese character with its punctuation.
PARTS = re.compile(rf"(\s*)([{CJK}][^\s\w]*|[^\s{CJK}]+)")
LEAST = 4  # columns


def fitted(text: str, room: float, measure: Callable[[str], float] = cell_len) -> str:
    """Printable text that takes at most `room`; … replaces the middle of a longer text.

    `measure` returns the width of a text in the unit of `room`, by default terminal columns.
    """
    shown = printable(text)
    if measure(shown) <= room:
        return shown
    for kept in range(min(len(shown) - 1, int(4 * room)), -1, -1):
        head = (kept + 1) // 2
        short = shown[:head] + "…" + shown[len(shown) - (kept - head) :]
        if measure(short) <= room:
            return short
    return ""


def column(texts: Sequence[str], width: int, *, right: bool = False) -> list[str]:
    """Texts padded to the same width, which is as small as possible and at most `width`."""
    short = [fitted(text, width) for text in texts]
    widest = max((cell_len(text) for text in short), default=0)
    pads = [" " * (widest - cell_len(text)) for text in short]
    return [pad + text if right else text + pad for text, pad in zip(short, pads, strict=True)]


def joined(first: str, last: str, separator: str) -> str:
    """Two labels as one: `step 0…9`, or both in full if their first words differ."""
    head, space, _ = first.rpartition(" ")
    other, _, tail = last.rpartition(" ")
    return f"{first}{separator}{tail if space and head == other else last}"


def wrapped(text: str, width: int) -> list[str]:
    """Printable lines of at most `width` columns (at least 4), wrapped at words.

    A longer word is cut, a path after a slash.
    """
    shown, width = printable(text), max(LEAST, width)
    if cell_len(shown) <= width:
        return [shown]
    lines = [""]
    for space, part in PARTS.findall(shown):
        longer = f"{lines[-1]}{space}{part}"
        if lines == [""] or cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return [piece for line in lines for piece in _cut(line, width)]


def _cut(line: str, width: int) -> Iterator[str]:
    while cell_len(line) > width:
        piece = _start(line, width)
        whole = piece.rfind("/") + 1
        at = whole if whole > 1 else len(piece)
        yield line[:at]
        line = line[at:]
    yield line


def _start(line: str, width: int) -> str:
    """The start of a line that fits into `width` columns, at least one character."""
    used = 0
    for at, character in enumerate(line):
        used += cell_len(character)
        if used > width:
            return line[: max(at, 1)]
    return line
