"""Labels and texts that fit a width: printable, shortened, aligned in columns, wrapped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count

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


def shortened(texts: Sequence[str], width: int) -> list[str]:
    """Printable texts of at most `width` columns. Different texts stay different if possible.

    … replaces the middle of a longer text. Where that makes texts equal, it replaces another part.
    Texts that are still equal end in ~1, ~2 and so on.
    """
    shown = {text: printable(text) for text in texts}
    short = {text: fitted(text, width) for text in shown}
    alike: dict[str, list[str]] = {}
    for text, cut in short.items():
        alike.setdefault(cut, []).append(text)
    for group in (group for group in alike.values() if len(group) > 1):
        taken = {cut for text, cut in short.items() if text not in group}
        cuts = _distinct_cuts([shown[text] for text in group], width, taken)
        short |= zip(group, cuts, strict=True)
    return [short[text] for text in texts]


def _distinct_cuts(texts: Sequence[str], width: int, taken: set[str]) -> list[str]:
    """The cuts of `_other_cuts` with the most different texts, then numbers at equal ones."""
    fitting = (
        cuts for cuts in _other_cuts(texts, width) if all(cell_len(cut) <= width for cut in cuts)
    )
    best = max(
        fitting,
        key=lambda cuts: len(set(cuts) - taken),
        default=[fitted(text, width) for text in texts],
    )
    repeated = Counter([*best, *taken])
    distinct: list[str] = []
    for cut in best:
        distinct.append(_numbered(cut, width, taken) if repeated[cut] > 1 else cut)
        taken.add(distinct[-1])
    return distinct


def _numbered(text: str, width: int, taken: set[str]) -> str:
    """The text with the first number that makes it differ from those taken, if it fits."""
    for number in count(1):
        mark = f"~{number}"
        if len(mark) >= width:
            break
        numbered = fitted(text, width - len(mark)) + mark
        if numbered not in taken:
            return numbered
    return text


def _other_cuts(texts: Sequence[str], width: int) -> Iterator[list[str]]:
    """Texts with … in other places than the middle, near the middle first, then at both ends."""
    kept = width - 1
    for head in sorted(range(kept + 1), key=lambda head: abs(2 * head - kept)):
        yield [text[:head] + "…" + text[len(text) - (kept - head) :] for text in texts]
    pairs = enumerate(zip(*texts, strict=False))
    same = next((at for at, signs in pairs if len(set(signs)) > 1), min(map(len, texts)))
    for start in range(same, max(same - kept, 0), -1):
        ends = start + width - 2
        yield ["…" + text[start:ends] + "…" * (ends < len(text)) for text in texts]


def column(texts: Sequence[str], width: int, *, right: bool = False) -> list[str]:
    """Texts padded to the same width, which is as small as possible and at most `width`.

    Different texts stay different, see `shortened`.
    """
    short = shortened(texts, width)
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
