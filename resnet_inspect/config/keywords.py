"""Parses keyword arguments of the user's CALLABLE from `key=value` texts, as --set takes them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

Keyword = int | float | bool | str | None


def parse_keywords(texts: Iterable[str]) -> dict[str, Keyword]:
    """The keyword arguments in `texts`. Raises ValueError with the reason."""
    keywords: dict[str, Keyword] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier():
            raise ValueError(f"{text!r} is not key=value")
        if key.strip() in keywords:
            raise ValueError(f"{key.strip()} is set twice")
        keywords[key.strip()] = _value(value.strip())
    return keywords


def _value(text: str) -> Keyword:
    """The text as int, float, bool or None if possible, otherwise unchanged."""
    if text == "None":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if any(character.isdigit() for character in text):
        for kind in (int, float):
            with suppress(ValueError):
                return kind(text)
    return text
