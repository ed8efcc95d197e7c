"""An SVG document of several distribution plots, each with labels, axis and remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnet_inspect.render import spelling, svg
from resnet_inspect.render.plots.plot_frame import NUMBER, Plot, axis, beside
from resnet_inspect.render.plots.ridges import NOT_FINITE, ZERO
from resnet_inspect.render.plots.scale import Kind, Scale, value_of
from resnet_inspect.render.plots.spread import (
    NO_ROWS,
    Distribution,
    merged,
    remarks,
    scale_of,
    spread,
)

WIDTH = 900.0
MARGIN = 16.0
GAP = 24.0
LINE = 15.0
MOST_COLUMNS = 3
AXIS = 30.0
PLOT = 230.0


@dataclass(frozen=True)
class Panel:
    """A plot: its title, its rows from the first to the last step, and the scale of its values."""

    title: str
    rows: Sequence[Distribution]
    scale: Scale | Kind = "linear"


@dataclass(frozen=True)
class Style:
    """A kind of plot.

    Attributes:
        draw: returns the SVG elements of the rows.
        below: returns the SVG elements of the legend below the axis.
        texts: sentences below all panels that explain the plot.
        cells: cells of a row.
        most_rows: rows of a panel; more are merged into groups.
        tallest: largest height of a row in pixels.
        rise: returns the height of a row's curve for a number of rows, in row heights.
    """

    draw: Callable[[Plot], list[str]]
    below: Callable[[Plot], list[str]]
    texts: Sequence[str]
    cells: int
    most_rows: int
    tallest: float
    rise: Callable[[int], float] = lambda _: 1.0


def panels_svg(title: str, panels: Sequence[Panel], style: Style, columns: int) -> str:
    """An SVG document with the panels, `columns` in a line; equal input gives equal text."""
    columns = max(1, min(columns, len(panels), MOST_COLUMNS))
    room = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    body = [svg.label(MARGIN, MARGIN + 12, title, room=WIDTH - 2 * MARGIN, kind="title")]
    top = MARGIN + 30.0
    for start in range(0, len(panels), columns):
        bottoms = []
        for column, panel in enumerate(panels[start : start + columns]):
            lines, bottom = _panel(panel, MARGIN + column * (room + GAP), top, room, style)
            body += lines
            bottoms.append(bottom)
        top = max(bottoms) + GAP / 2
    for text in svg.wrapped(style.texts if panels else [NO_ROWS], WIDTH - 2 * MARGIN):
        body.append(svg.label(MARGIN, top + LINE - 4, text, room=WIDTH))
        top += LINE
    return svg.document(title, _description(panels, style), WIDTH, top + MARGIN, body)


def _panel(
    panel: Panel, left: float, top: float, room: float, style: Style
) -> tuple[list[str], float]:
    """The SVG lines of a panel and the y position of its lower end."""
    if not panel.rows:
        lines = [svg.label(left, top + LINE - 4, panel.title, room=room, kind="name")]
        return [*lines, svg.label(left, top + 2 * LINE, NO_ROWS, room=room)], top + 3 * LINE
    rows = merged(panel.rows, style.most_rows)
    scale = scale_of(panel.rows, panel.scale)
    spreads = [spread(row, scale, style.cells) for row in rows]
    columns = [ZERO] * any(shares.zero for shares in spreads)
    columns += [NOT_FINITE] * any(shares.not_finite for shares in spreads)
    free = style.rise(len(rows)) - 1
    spacing = min(style.tallest, PLOT / (len(rows) + free))
    gutter = min(room / 4, max(svg.text_width(row.label) for row in rows)) + 12
    plot = Plot(
        rows=rows,
        spreads=spreads,
        scale=scale,
        left=left + gutter,
        top=top + LINE + 6,
        width=room - gutter - 8 - NUMBER * len(columns),
        head=free * spacing,
        spacing=spacing,
    )
    title_room = room - NUMBER * len(columns)
    lines = [svg.label(left, top + LINE - 4, panel.title, room=title_room, kind="name")]
    lines += style.draw(plot)
    lines += beside(plot, gutter, columns)
    lines += axis(plot)
    bottom = plot.bottom + AXIS
    if below := style.below(plot):
        lines += [f'<g transform="translate({plot.left:.1f} {bottom:.1f})">', *below, "</g>"]
        bottom += LINE + 4
    for text in svg.wrapped(remarks(rows, spreads, scale), room):
        lines.append(svg.label(left, bottom + LINE - 4, text, room=room))
        bottom += LINE
    return lines, bottom


def _description(panels: Sequence[Panel], style: Style) -> str:
    """The number of rows and the medians of each panel, and the sentences of the style."""
    parts = []
    for panel in panels:
        rows = panel.rows if len(panel.rows) < 3 else (panel.rows[0], panel.rows[-1])
        medians = [f"{row.label}: {_middle(row)}" for row in rows]
        name = f"{panel.title}: " if panel.title else ""
        parts.append(f"{name}{'; '.join([f'{len(panel.rows)} rows', *medians])}.")
    return " ".join([*parts, *style.texts])


def _middle(row: Distribution) -> str:
    quantiles = row.sketch.quantiles((0.01, 0.5, 0.99))
    if not quantiles:
        return "no finite numbers"
    low, middle, high = (spelling.number(value_of(middle)) for middle in quantiles)
    return f"median {middle}, 1 % below {low}, 1 % above {high}"
