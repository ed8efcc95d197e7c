"""Charts of a scalar in training for a study's HTML page: one per variant, all on one scale.

A thin line is a seed, the thick line is their mean. The page's style sheet sets the colours.
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
    """HTML with a figure for each variant.

    `courses` contains, for each variant and seed, one value per step. The result is empty without
    a course of at least two steps, or without a finite value.
    """
    drawn = {name: every for name, every in courses.items() if any(len(seed) > 1 for seed in every)}
    finite = [v for every in drawn.values() for seed in every for v in seed if math.isfinite(v)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    figures = "\n".join(_figure(name, every, low, high) for name, every in drawn.items())
    return (
        f"<section><h2>{escape(title)}</h2>\n"
        '<p class="dim">Thin lines: seeds. Thick line: their mean. All charts have the same scale.'
        "</p>\n"
        f'<div class="charts">{figures}</div></section>'
    )


def _figure(name: str, every: Sequence[Sequence[float]], low: float, high: float) -> str:
    steps = min(map(len, every))
    means = [sum(seed[step] for seed in every) / len(every) for step in range(steps)]
    ends = f"{spelling.number(means[0])} → {spelling.number(means[-1])}"
    label = escape(printable(f"{name}: {ends}"))
    lines = [_line("seed", seed, low, high) for seed in every] if len(every) > 1 else []
    floor = HEIGHT - BELOW
    return (
        f"<figure><figcaption><b>{escape(printable(name))}</b> {ends}</figcaption>"
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
    """A path through the finite values, with gaps for the others."""
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
