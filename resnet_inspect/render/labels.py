"""Labels that fit a width: printable, shortened in the middle, aligned in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from resnet_inspect.paths import printable


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
