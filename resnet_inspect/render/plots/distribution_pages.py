"""The output of `hist`: distributions in a terminal and as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

from rich.text import Text

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.commands import Command, spelled
from resnet_inspect.render.plots.distribution_remarks import remarks_on
from resnet_inspect.render.plots.heat_map import heat_map
from resnet_inspect.render.plots.heat_map_svg import heat_map_svg
from resnet_inspect.render.plots.histogram import histogram
from resnet_inspect.render.plots.panels import Panel
from resnet_inspect.render.plots.quantile_table import quantile_tables
from resnet_inspect.render.plots.ridges import ridges
from resnet_inspect.render.plots.ridges_svg import ridges_svg
from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import Distribution, merged
from resnet_inspect.render.screen import Screen, plain
from resnet_inspect.stats import Sketch

Group = Sequence[Series]
ROWS = 40
HEIGHT = 10
ONE_LAYER = Command("hist", ("LAYER",))
# The range of the middle 98 % may be this many interquartile ranges long on a linear scale.
MAX_RANGE = 20
QUANTILES = "quantiles are estimated from histogram bins: relative error at most 6.25 %"


def distribution_page(
    screen: Screen, groups: Sequence[Group], *, heat: bool, scale: Kind | None
) -> None:
    """Print each tensor's distributions over the steps and their statistics.

    Tensors of a group share their scale if they are of the same kind. `scale` None chooses the
    kind of scale by `fitting_kind`.
    """
    for place, group in enumerate(groups):
        rows = [_rows(series) for series in group]
        alike = len({series.tap.kind for series in group}) == 1
        common = _scale([row for part in rows for row in part], scale)
        for number, (series, part) in enumerate(zip(group, rows, strict=True)):
            if place or number:
                screen.line(plain(""))
            screen.line(plain(title_of(series, group), "bold"), plain(_sample(series), "dim"))
            chosen = common if alike else _scale(part, scale)
            screen.line(*_picture(screen, part, chosen, heat=heat))
            screen.line(plain(""))
            screen.table(quantile_tables([(f"{s}", row) for s, row in series.course.items()]))
            screen.line(plain(QUANTILES, "dim"))
            for line in remarks_on(series):
                screen.line(plain(line))


def _scale(rows: Sequence[Distribution], kind: Kind | None) -> Scale:
    return Scale.of([row.sketch for row in rows], kind or fitting_kind(rows))


def fitting_kind(rows: Sequence[Distribution]) -> Kind:
    """symlog if the middle half of the values would be a single peak on a linear scale."""
    pooled = reduce(add, (row.sketch for row in rows)) if rows else Sketch.of(())
    ends = pooled.quantiles((0.01, 0.25, 0.75, 0.99))
    if not ends or ends[1] == ends[2]:
        return "linear"
    low, first, third, high = ends
    return "symlog" if high - low > MAX_RANGE * (third - first) else "linear"


def _picture(screen: Screen, rows: list[Distribution], scale: Scale, *, heat: bool) -> list[Text]:
    if len(rows) == 1:
        return list(histogram(rows[0], screen.width, HEIGHT, scale=scale))
    if heat:
        most = merged(rows, 2 * ROWS)
        return list(heat_map(most, screen.width, scale=scale, colour=screen.colours))
    return list(ridges(merged(rows, ROWS), screen.width, scale=scale))


def overview_page(screen: Screen, groups: Sequence[Group], *, scale: Kind | None) -> None:
    """Print the last step of each tensor, a row each, on a common scale for each kind."""
    every = [series for group in groups for series in group]
    for kind in dict.fromkeys(series.tap.kind for series in every):
        chosen = [series for series in every if series.tap.kind == kind and series.course]
        rows = [
            Distribution.of(_name(series), series.course[max(series.course)]) for series in chosen
        ]
        steps = {max(series.course) for series in chosen}
        at = f"step {max(steps)}" if steps else "no step"
        screen.line(plain(f"{kind}s of {len(rows)} tensors at {at}", "bold"))
        screen.line(*ridges(rows, screen.width, scale=_scale(rows, scale)))
        screen.line(plain(""))
    screen.line(plain(f"{spelled(ONE_LAYER)} shows all steps of a layer with statistics", "dim"))


def distributions_svg(groups: Sequence[Group], *, heat: bool, scale: Kind | None) -> str:
    """An SVG document with a panel for each tensor."""
    columns = max((len(group) for group in groups), default=1)
    panels = [
        Panel(title_of(series, group), _rows(series), _panel_scale(group, series, scale))
        for group in groups
        for series in group
    ]
    names = list(dict.fromkeys(series.tap.layer for group in groups for series in group))
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    draw = heat_map_svg if heat else ridges_svg
    return draw(f"Distributions: {shown}", panels, columns=max(columns, min(2, len(panels))))


def _panel_scale(group: Group, series: Series, kind: Kind | None) -> Scale:
    """The scale that all tensors of the same kind in a group share."""
    alike = [member for member in group if member.tap.kind == series.tap.kind]
    return _scale([row for member in alike for row in _rows(member)], kind)


def title_of(series: Series, group: Group) -> str:
    """The title of a tensor's picture, such as "bn00_branch2a, after normalization"."""
    name = _name(series)
    kind = "" if series.tap.kind == "activation" else f", {series.tap.kind}"
    pair = len(group) == 2 and len({member.tap.kind for member in group}) == 1
    side = ("", ", after normalization" if series is group[-1] else ", before normalization")[pair]
    return name + kind + side


def _name(series: Series) -> str:
    return series.tap.layer if series.tap.output else series.tap.tensor


def _rows(series: Series) -> list[Distribution]:
    return [Distribution.of(f"step {step}", summary) for step, summary in series.course.items()]


def _sample(series: Series) -> str:
    counts = {summary.count for summary in series.course.values()}
    if series.elements is None or not counts or max(counts) == series.elements:
        return f"all {max(counts, default=0):,} elements"
    return f"sample of {max(counts):,} of {series.elements:,} elements, spread over the batch"
