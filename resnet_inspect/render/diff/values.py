"""How values that differ are written: shapes, lists, settings, changes of a layer in few rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from resnet_inspect.analysis.diff.differences import Change, Difference
from resnet_inspect.render import spelling

MOST = 4


def value(given: Any) -> str:
    """A value of a fact or a setting; – for none."""
    if given is None or given in ("", (), []):
        return "–"
    if isinstance(given, float):
        return f"{given:.6g}"
    if not isinstance(given, list | tuple):
        return spelling.spell_setting(given)
    if len(given) <= MOST:
        return ", ".join(value(one) for one in given)
    return (
        f"{', '.join(value(one) for one in given[: MOST - 1])} … {value(given[-1])} ({len(given)})"
    )


def changed_rows(changes: Sequence[Change]) -> Iterator[tuple[str, str, str, str]]:
    """A row for each change: the layer's or op's name once, what differs, and both values."""
    for change in changes:
        name = change.a if change.a == change.b else f"{change.a} → {change.b}"
        for what, one, other in _grouped(change.differences):
            yield name, what, one, other
            name = ""


def _grouped(differences: Iterable[Difference]) -> Iterator[tuple[str, str, str]]:
    """Variables that changed in the same way take one row together."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in differences:
        aspect = one.aspect if one.aspect == "variable" else one.name
        told = aspect, _spelled(one.aspect, one.a), _spelled(one.aspect, one.b)
        groups.setdefault(told, []).append(one.name)
    for (aspect, left, right), names in groups.items():
        yield _named(names) if aspect == "variable" else aspect, left, right


def _named(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def _spelled(aspect: str, given: Any) -> str:
    if aspect == "shape" or (aspect == "variable" and not isinstance(given, bool)):
        if isinstance(given, list):
            return ", ".join(spelling.shape(one) for one in given)
        return "–" if given is None else spelling.shape(given)
    if aspect == "parameters":
        return spelling.count(given)
    return value(given)
