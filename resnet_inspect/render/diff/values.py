"""Texts of values that differ: shapes, lists, settings, and the changes of a layer in few rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from resnet_inspect.analysis.diff.differences import Change, Difference
from resnet_inspect.render import spelling

MOST = 4


def value(given: Any) -> str:
    """The text of a fact or a setting; – for no value."""
    if given is None or given in ("", (), []):
        return "–"
    if isinstance(given, float):
        return f"{given:.6g}"
    if not isinstance(given, list | tuple):
        return spelling.spell_setting(given)
    if len(given) <= MOST:
        return ", ".join(map(value, given))
    return f"{', '.join(map(value, given[: MOST - 1]))} … {value(given[-1])} ({len(given)})"


def changed_rows(changes: Sequence[Change]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of name, what differs, and both values; the name only in a change's first row."""
    for change in changes:
        name = change.a if change.a == change.b else f"{change.a} → {change.b}"
        for what, a, b in _grouped(change.differences):
            yield name, what, a, b
            name = ""


def _grouped(differences: Iterable[Difference]) -> Iterator[tuple[str, str, str]]:
    """What differs and both values; variables that changed in the same way share a row."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in differences:
        aspect = row.aspect if row.aspect == "variable" else row.name
        key = aspect, _spelled(row.aspect, row.a), _spelled(row.aspect, row.b)
        groups.setdefault(key, []).append(row.name)
    for (aspect, a, b), names in groups.items():
        yield _joined(names) if aspect == "variable" else aspect, a, b


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def _spelled(aspect: str, given: Any) -> str:
    if aspect == "shape" or (aspect == "variable" and not isinstance(given, bool)):
        if isinstance(given, list):
            return ", ".join(map(spelling.shape, given))
        return "–" if given is None else spelling.shape(given)
    if aspect == "parameters":
        return spelling.count(given)
    return value(given)
