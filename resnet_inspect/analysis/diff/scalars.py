"""Compares named values of two runs: scalars, settings and facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from resnet_inspect.analysis.diff.differences import Difference, ScalarDiff, ScalarsDiff

Courses = Mapping[str, Mapping[int, float]]


def compare_values(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Values that differ, in a common order. None where one side has no value."""
    names = sorted({*a, *b}, key=lambda name: _place(name, a, b))
    return tuple(
        Difference(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)
    )


def _place(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[int, str]:
    """A sort key from the positions of a name in both; the same if A and B are swapped."""
    return sum(list(side).index(name) if name in side else len(side) for side in (a, b)), name


def compare_scalars(a: Courses, b: Courses) -> ScalarsDiff:
    """Scalars whose values differ at a step that both runs have."""
    rows = [row for name in sorted({*a} & {*b}) if (row := _row(name, a[name], b[name]))]
    return ScalarsDiff(
        rows=tuple(rows),
        only_a=tuple(sorted({*a} - {*b})),
        only_b=tuple(sorted({*b} - {*a})),
    )


def _row(name: str, a: Mapping[int, float], b: Mapping[int, float]) -> ScalarDiff | None:
    steps = tuple(sorted({*a} & {*b}))
    left, right = (tuple(_shared_nan(side[step]) for step in steps) for side in (a, b))
    if left == right:
        return None
    rows = list(zip(steps, left, right, strict=True))
    finite = {step: (math.isfinite(x), math.isfinite(y)) for step, x, y in rows}
    broken = [step for step, (finite_a, finite_b) in finite.items() if finite_a != finite_b]
    gaps = {step: y - x for step, x, y in rows if all(finite[step])}
    if broken or not gaps:
        return ScalarDiff(name, steps, left, right, None, broken[0] if broken else None)
    step = max(gaps, key=lambda at: abs(gaps[at]))
    return ScalarDiff(name, steps, left, right, gaps[step], step)


def _shared_nan(value: float) -> float:
    """The value, with NaN always as the same object: tuples with it then compare equal."""
    return math.nan if math.isnan(value) else value
