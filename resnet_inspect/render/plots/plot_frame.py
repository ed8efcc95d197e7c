"""The frame of a plot in an SVG document: positions of rows, labels, columns and axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resnet_inspect.render import spelling, svg
from resnet_inspect.render.plots.ridges import ZERO
from resnet_inspect.render.plots.scale import Scale, span
from resnet_inspect.render.plots.spread import Distribution, Spread

NUMBER = 56.0
# Smallest distance of the labels of two rows, in pixels.
LABEL_DISTANCE = 12.0


@dataclass(frozen=True)
class Plot:
    """The rows of a panel on a scale, and their positions in pixels; row 0 is on top."""

    rows: Sequence[Distribution]
    spreads: Sequence[Spread]
    scale: Scale
    left: float
    top: float
    width: float
    head: float
    spacing: float

    def base(self, place: int) -> float:
        """The y position of the lower end of a row."""
        return self.top + self.head + (place + 1) * self.spacing

    @property
    def bottom(self) -> float:
        """The y position of the lower end of the last row."""
        return self.base(max(0, len(self.rows) - 1))


def beside(plot: Plot, gutter: float, columns: Sequence[str]) -> Iterator[str]:
    """Labels, marks for values outside the scale, and number columns beside the rows.

    If rows are too narrow for a label each, several rows share one.
    """
    every = max(1, -int(-LABEL_DISTANCE // plot.spacing))
    right = plot.left + plot.width
    for column, name in enumerate(columns):
        x = right + 8 + NUMBER * (column + 1)
        yield svg.label(x, plot.top - 10, name, room=NUMBER, anchor="end")
    for place in range(0, len(plot.rows), every):
        group = plot.spreads[place : place + every]
        row, shares = plot.rows[place], plot.spreads[place]
        y = plot.base(place) - (3 if plot.spacing > LABEL_DISTANCE else 0)
        if any(other.below for other in group):
            yield svg.label(plot.left - 7, y, "‹", room=9, kind="ink")
        if any(other.above for other in group):
            yield svg.label(right + 2, y, "›", room=9, kind="ink")
        yield svg.label(plot.left - 10, y, row.label, room=gutter - 10, anchor="end")
        if shares.remark:
            x = plot.left + plot.width / 2
            yield svg.label(x, y, shares.remark, room=plot.width, kind="dim halo", anchor="middle")
        for column, name in enumerate(columns):
            value = shares.zero if name == ZERO else shares.not_finite
            x = right + 8 + NUMBER * (column + 1)
            yield svg.label(x, y, spelling.share(value), room=NUMBER, anchor="end")


def axis(plot: Plot) -> Iterator[str]:
    """A line with ticks and their labels below the rows."""
    y = plot.bottom + 4
    ticks = plot.scale.ticks(plot.width, svg.text_width, 12)
    marks = "".join(f"M{plot.left + at * plot.width:.1f} {y:.1f}v4" for at, _ in ticks)
    yield f'<path class="rule" fill="none" d="M{plot.left:.1f} {y:.1f}h{plot.width:.1f}{marks}"/>'
    for at, text in ticks:
        start, end = span(at * plot.width, svg.text_width(text), plot.width)
        x = plot.left + (start + end) / 2
        yield svg.label(x, y + 16, text, room=plot.width, anchor="middle")
