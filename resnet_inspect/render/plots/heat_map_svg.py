"""A heat map as SVG: rows are steps, columns are values, shades are shares."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from resnet_inspect.paths import printable
from resnet_inspect.render import spelling, svg
from resnet_inspect.render.plots.intensity import TOP, ceiling, level
from resnet_inspect.render.plots.panels import Panel, Style, panels_svg
from resnet_inspect.render.plots.plot_frame import Plot

CELLS = 96
MOST_ROWS = 76
TALLEST = 18.0
SWATCH = 14


def heat_map_svg(title: str, panels: Sequence[Panel], *, columns: int = 2) -> str:
    """An SVG document with panels of heat maps; more than 76 steps are merged into groups."""
    texts = [
        f"A shade is the share of a step's values in one of {CELLS} cells. The cells leave out "
        "zeros; column zero is their share.",
    ]
    style = Style(_draw, _legend, texts, CELLS, MOST_ROWS, TALLEST)
    return panels_svg(title, panels, style, columns)


def _draw(plot: Plot) -> list[str]:
    """A path for each shade, with all runs of cells that have it."""
    full, _ = ceiling(plot.spreads)
    runs: dict[int, list[str]] = {}
    cell = plot.width / CELLS
    for place, shares in enumerate(plot.spreads):
        at = 0
        if shares.remark:
            continue
        for shade, group in groupby(level(share, full) for share in shares.cells):
            length = len(list(group))
            x, y = plot.left + at * cell, plot.base(place) - plot.spacing
            runs.setdefault(shade, []).append(
                f"M{x:.2f} {y:.2f}h{length * cell:.2f}v{plot.spacing:.2f}h{-length * cell:.2f}z"
            )
            at += length
    elements = [
        f'<path class="l{shade}" shape-rendering="crispEdges" d="{"".join(runs[shade])}"/>'
        for shade in sorted(runs)
    ]
    for place, row in enumerate(plot.rows):
        elements.append(
            f'<rect fill="none" pointer-events="all" x="{plot.left:.1f}"'
            f' y="{plot.base(place) - plot.spacing:.2f}" width="{plot.width:.1f}"'
            f' height="{plot.spacing:.2f}"><title>{escape(printable(row.label))}</title></rect>'
        )
    return elements


def _legend(plot: Plot) -> list[str]:
    """The shades from 0 to the fullest cell, with the share of the fullest cell."""
    full, cut = ceiling(plot.spreads)
    if not full:
        return []
    elements = [svg.label(0, 10, "0", room=20)]
    for shade in range(TOP + 1):
        x = 14 + shade * SWATCH
        elements.append(f'<rect class="l{shade}" x="{x}" y="0" width="{SWATCH}" height="12"/>')
    text = spelling.share(full) + (" or more" if cut else "")
    x = 20 + (TOP + 1) * SWATCH
    elements.append(svg.label(x, 10, text, room=plot.width - x))
    return elements
