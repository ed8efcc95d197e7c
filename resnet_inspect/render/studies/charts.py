"""The course of a training for a study's page: a small picture a variant, all on one scale.

Thin lines are seeds, the thick one is their mean; colours are the page's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from resnet_inspect.paths import printable
from resnet_inspect.render import spelling

WIDTH, HEIGHT, LEFT, BELOW = 270, 120, 42, 16
Courses = Mapping[str, Sequence[Sequence[float]]]


def study_charts(title: str, courses: Courses) -> str:
    """HTML of one figure for each variant in `courses`, which holds a value a step for each seed;
    empty where there is no course of two steps with a finite value.
    """
    drawn = {name: every for name, every in courses.items() if any(len(one) > 1 for one in every)}
    finite = [v for every in drawn.values() for one in every for v in one if math.isfinite(v)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    figures = "\n".join(_figure(name, every, low, high) for name, every in drawn.items())
    return (
        f"<section><h2>{escape(title)}</h2>\n"
        '<p class="dim">Thin lines are seeds, the thick one is their mean; one scale for all.</p>\n'
        f'<div class="charts">{figures}</div></section>'
    )


def _figure(name: str, every: Sequence[Sequence[float]], low: float, high: float) -> str:
    steps = min(map(len, every))
    means = [sum(one[step] for one in every) / len(every) for step in range(steps)]
    told = f"{spelling.number(means[0])} → {spelling.number(means[-1])}"
    label = escape(printable(f"{name}: {told}"))
    lines = [_line("seed", one, low, high) for one in every] if len(every) > 1 else []
    floor = HEIGHT - BELOW
    return (
        f"<figure><figcaption><b>{escape(printable(name))}</b> {told}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f'<path class="rule" d="M{LEFT} {floor}H{WIDTH}"/>'
        + "".join((*lines, _line("line", means, low, high)))
        + f'<text x="{LEFT - 5}" y="12" text-anchor="end">{spelling.number(high)}</text>'
        f'<text x="{LEFT - 5}" y="{floor}" text-anchor="end">{spelling.number(low)}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 3}">step 0</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 3}" text-anchor="end">{steps - 1}</text>'
        "</svg></figure>"
    )


def _line(kind: str, values: Sequence[float], low: float, high: float) -> str:
    """A path through what is finite; it ends where that does, and goes on behind."""
    room, tall = WIDTH - LEFT - 4, HEIGHT - BELOW - 8
    parts, pen = [], "M"
    for step, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        x = LEFT + 2 + room * step / max(1, len(values) - 1)
        y = 4 + tall * (1 - (value - low) / ((high - low) or 1.0))
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return f'<path class="{kind}" d="{"".join(parts)}"/>'
