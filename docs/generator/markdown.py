"""Tables and escaping in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. A | inside a cell is escaped, and a line break becomes a space."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """Text as code, or nothing for no text."""
    return f"`{text}`" if text else ""


def block(lines: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{lines}\n```"


def plain(text: str) -> str:
    """Text of the program as Markdown: `code` stays, other signs lose their meaning."""
    pieces = text.split("`")
    for number in range(0, len(pieces), 2):
        for sign in "*<_":
            pieces[number] = pieces[number].replace(sign, "\\" + sign)
    return "`".join(pieces)


def sentence_case(text: str) -> str:
    """Text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
