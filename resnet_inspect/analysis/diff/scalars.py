"""Scalars of two runs side by side, and what else is told by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from resnet_inspect.analysis.diff.differences import Difference, ScalarDiff, ScalarsDiff

Courses = Mapping[str, Mapping[int, float]]


def compare_values(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What has another value in B, in the order of A; None where one side lacks it."""
    names = sorted({*a, *b}, key=lambda name: _place(name, a, b))
    return tuple(
        Difference(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)
    )


def _place(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[int, str]:
    """Where a name stands in both, whichever comes first."""
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
    left, right = (tuple(_one_nan(side[step]) for step in steps) for side in (a, b))
    if left == right:
        return None
    rows = list(zip(steps, left, right, strict=True))
    finite = {step: (math.isfinite(one), math.isfinite(other)) for step, one, other in rows}
    broken = [step for step, (one, other) in finite.items() if one != other]
    gaps = {step: other - one for step, one, other in rows if all(finite[step])}
    if broken or not gaps:
        return ScalarDiff(name, steps, left, right, None, broken[0] if broken else None)
    step = max(gaps, key=lambda at: abs(gaps[at]))
    return ScalarDiff(name, steps, left, right, gaps[step], step)


def _one_nan(value: float) -> float:
    """NaN is always the same object, by which tuples with it are equal."""
    return math.nan if math.isnan(value) else value
