"""Keyword settings of a model of the user's own, as text: `key=value`, as --set takes them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

Keyword = int | float | bool | str | None


def parse_keywords(texts: Iterable[str]) -> dict[str, Keyword]:
    """The keywords that `texts` name; raises ValueError with what is wrong."""
    found: dict[str, Keyword] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier():
            raise ValueError(f"{text!r} is no key=value")
        if key.strip() in found:
            raise ValueError(f"{key.strip()} is given twice")
        found[key.strip()] = _value(value.strip())
    return found


def _value(text: str) -> Keyword:
    """A whole number, a number, true or false, None, else the text itself."""
    if text == "None":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if any(one.isdigit() for one in text):
        for kind in (int, float):
            with suppress(ValueError):
                return kind(text)
    return text
