"""A ridgeline plot as SVG: a filled curve for each step, later steps in front."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from resnet_inspect.paths import printable
from resnet_inspect.render.plots.intensity import TOP
from resnet_inspect.render.plots.panels import Panel, Style, panels_svg
from resnet_inspect.render.plots.plot_frame import Plot

CELLS = 96
MOST_ROWS = 40
TALLEST = 56.0
MOST_RISE = 2.2


def ridges_svg(title: str, panels: Sequence[Panel], *, columns: int = 2) -> str:
    """An SVG document with panels of ridges; more than 40 steps are merged into groups."""
    texts = [
        "Each row is scaled to its own maximum. "
        "The curves leave out zeros; column zero is their share.",
    ]
    style = Style(_draw, lambda _: [], texts, CELLS, MOST_ROWS, TALLEST, _rise)
    return panels_svg(title, panels, style, columns)


def _rise(rows: int) -> float:
    """The height of a curve in row heights; fewer rows get less, to not hide each other."""
    return min(MOST_RISE, 1 + rows / 10)


def _draw(plot: Plot) -> list[str]:
    """A curve for each row, through the middles of its cells."""
    paths = []
    cell = plot.width / CELLS
    for place, (row, shares) in enumerate(zip(plot.rows, plot.spreads, strict=True)):
        base, highest = plot.base(place), float(shares.cells.max())
        paths.append(f'<path class="rule" d="M{plot.left:.1f} {base:.1f}h{plot.width:.1f}"/>')
        if not highest:
            continue
        heights = shares.cells / highest * (plot.head + plot.spacing)
        line = "".join(
            f"L{plot.left + (at + 0.5) * cell:.1f} {base - high:.1f}"
            for at, high in enumerate(heights)
        )
        shade = 3 + round((TOP - 5) * place / max(1, len(plot.rows) - 1))
        paths.append(
            f'<path class="ridge l{shade}" d="M{plot.left:.1f} {base:.1f}{line}'
            f'L{plot.left + plot.width:.1f} {base:.1f}Z"><title>{escape(printable(row.label))}'
            "</title></path>"
        )
    return paths
