"""Scalars over steps as SVG: a panel with a line for each scalar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from resnet_inspect.render import spelling, svg
from resnet_inspect.render.plots.line_chart import ends

WIDTH, MARGIN, GAP = 900.0, 16.0, 32.0
HEIGHT, GUTTER, FOOT = 120.0, 64.0, 24.0
COLUMNS = 2

Values = Mapping[int, float]


def line_charts_svg(title: str, charts: Sequence[tuple[str, Values]]) -> str:
    """An SVG document with a chart for each scalar, labelled with its range and its steps.

    Values that are not finite interrupt the line.
    """
    room = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    body = [svg.label(MARGIN, MARGIN + 12, title, room=WIDTH - 2 * MARGIN, kind="title")]
    top = MARGIN + 32.0
    for at, (name, values) in enumerate(charts):
        row, column = divmod(at, COLUMNS)
        left, y = MARGIN + column * (room + GAP), top + row * (HEIGHT + FOOT + GAP)
        body.append(svg.label(left, y, name, room=room, kind="name"))
        body += _chart(values, left + GUTTER, y + 10, room - GUTTER, HEIGHT)
    rows = -(-len(charts) // COLUMNS)
    description = "; ".join(f"{name}: {_ends(values)}" for name, values in charts)
    return svg.document(title, description, WIDTH, top + rows * (HEIGHT + FOOT + GAP), body)


def _ends(values: Values) -> str:
    steps = sorted(values)
    if not steps:
        return "no step"
    first, last = (spelling.number(values[step]) for step in (steps[0], steps[-1]))
    return f"{first} at step {steps[0]}, {last} at step {steps[-1]}"


def _chart(values: Values, left: float, top: float, width: float, height: float) -> list[str]:
    finite = {step: value for step, value in values.items() if math.isfinite(value)}
    lines = [f'<path class="rule" fill="none" d="M{left:.1f} {top:.1f}v{height:.1f}h{width:.1f}"/>']
    if not finite:
        return [*lines, svg.label(left + 8, top + height / 2, "no finite number", room=width)]
    first, last = min(values), max(values)
    low, high = min(finite.values()), max(finite.values())

    def place(step: int) -> str:
        x = left + width * (step - first) / max(1, last - first)
        # Halves keep the extent of huge numbers finite; a constant runs through the middle.
        share = 0.5 if high == low else (values[step] / 2 - low / 2) / (high / 2 - low / 2)
        return f"{x:.1f} {top + height * (1 - share):.1f}"

    for joined, run in groupby(sorted(values), key=lambda step: step in finite):
        steps = list(run)
        if joined and len(steps) > 1:
            points = "L".join(place(step) for step in steps)
            lines.append(f'<path class="curve" fill="none" d="M{points}"/>')
        elif joined:
            at = place(steps[0]).split()
            lines.append(f'<circle class="l5" cx="{at[0]}" cy="{at[1]}" r="2"/>')
    for text, y in zip(ends(low, high), (top + height, top + 4), strict=True):
        lines.append(svg.label(left - 6, y, text, room=GUTTER - 8, anchor="end"))
    lines.append(svg.label(left, top + height + 16, str(first), room=width))
    if last > first:
        end = svg.label(left + width, top + height + 16, str(last), room=width, anchor="end")
        lines.append(end)
    return lines
