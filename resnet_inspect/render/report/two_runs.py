"""The page of two runs: its facts as the page's script draws them, and its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from resnet_inspect.analysis.browse.course import Course
from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.diff.comparison import Comparison
from resnet_inspect.analysis.diff.distributions import Recorded
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Graph, Note
from resnet_inspect.render.diff.words import Courses
from resnet_inspect.render.plots.scale import Scale
from resnet_inspect.render.report import numbers
from resnet_inspect.render.report.differences import (
    NAMES,
    closing,
    courses,
    distance_remarks,
    distance_tables,
    scalar_curves,
    sections,
)
from resnet_inspect.render.report.page import Head, page
from resnet_inspect.render.report.pairs import Pairs
from resnet_inspect.render.report.run import head
from resnet_inspect.stats import Tap
from resnet_inspect.store.info import RunInfo

# The files of the script that only this page has.
SCRIPT = ("scalars", "overlay", "pairs", "two_runs")
NONE = -1
# In place of a distance's number: the numbers are the same, or were not compared.
SAME, NOT_COMPARED = -1, -2


class Told(NamedTuple):
    """A run as one side of the page; `file` is its path as the user may type it, `broken` says that
    numbers in it are not finite.
    """

    info: RunInfo
    file: str
    graph: Graph
    series: Sequence[Series]
    recorded: Recorded
    scalars: Courses
    broken: bool


def comparison_page(
    found: Comparison,
    a: Told,
    b: Told,
    program: str,
    missing: Sequence[Note] = (),
    diagrams: Sequence[str] = (),
) -> str:
    """Two runs side by side as HTML, with what is `missing` from it; `program` made the page.

    `diagrams` are SVG elements as for a page of one run: of both runs, or one that is of both.
    """
    both = (a, b)
    files = [one.file for one in both]
    titles = [f"{one.info.network} ({PurePath(one.file).name})" for one in both]
    series = [*a.series, *b.series]
    packed = numbers.Packed(series, _scales(found, a, b))
    names = Pairs(found)
    rows = found.diff.distributions.rows
    facts = {
        "sections": list(sections(found, [a.info, b.info], files, [a.scalars, b.scalars])),
        "closing": list(closing(found, files, missing)),
        "word": "ops" if found.diff.graph.depth == Depth.OP else "layers",
        "layers": names.panels(_tensors(found, a, b)),
        "pairs": names.table(),
        "distances": distance_tables(found, names),
        "remarks": distance_remarks(found),
        "courses": courses(rows),
        "scalars": scalar_curves(a.scalars, b.scalars),
        "ops": [],
        "variables": [],
        "inputs": [],
        "recorded": list(found.diff.distributions.steps),
        **numbers.told(packed, series),
    }
    return page(
        title=" against ".join(titles),
        heads=[_head(name, one) for name, one in zip(NAMES, both, strict=True)],
        program=program,
        commands="diff, shapes, hist, check",
        script=SCRIPT,
        facts=facts,
        numbers=packed.bytes,
        diagrams=diagrams,
    )


def _head(name: str, one: Told) -> Head:
    made = head(one.info, broken=one.broken)
    return made._replace(text=f"{name}: {made.text}, {PurePath(one.file).name}")


def _places(series: Sequence[Series]) -> dict[Tap, int]:
    return {one.tap: at for at, one in enumerate(series)}


def _scales(found: Comparison, a: Told, b: Told) -> list[Scale | None]:
    """The common scale of tensors that both recorded, for those of A and then of B."""
    places = _places(a.series), _places(b.series)
    made: tuple[list[Scale | None], list[Scale | None]] = (
        [None] * len(a.series), [None] * len(b.series)
    )  # fmt: skip
    for tap, partner in found.tensors:
        if tap is not None and partner is not None:
            at, other = places[0][tap], places[1][partner]
            held = [*a.series[at].course.values(), *b.series[other].course.values()]
            made[0][at] = made[1][other] = numbers.scale_of(Course.of(held))
    return [*made[0], *made[1]]


def _tensors(
    found: Comparison, a: Told, b: Told
) -> dict[tuple[str, str], list[tuple[int, int, int]]]:
    """Numbers of series and distances by the names of layers, as `pairs.Tensors` tells."""
    first, second = _places(a.series), _places(b.series)
    rows = found.diff.distributions.rows
    apart = {(row.kind, row.tensor_a): at for at, row in enumerate(rows)}
    layers = {pair.a.name: pair.b.name for pair in found.pairs if pair.a and pair.b}
    back = {other: one for one, other in layers.items()}
    made: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for tap, partner in found.tensors:
        if tap is not None:
            key = (tap.layer, layers.get(tap.layer, ""))
            own = first[tap]
            other = NONE if partner is None else second[partner] + len(first)
            made.setdefault(key, []).append((own, other, _distance(tap, partner, apart, a, b)))
        elif partner is not None:
            key = (back.get(partner.layer, ""), partner.layer)
            made.setdefault(key, []).append((NONE, second[partner] + len(first), NOT_COMPARED))
    return made


def _distance(
    tap: Tap,
    partner: Tap | None,
    apart: Mapping[tuple[str, str], int],
    a: Told,
    b: Told,
) -> int:
    if partner is None or tap not in a.recorded.held or partner not in b.recorded.held:
        return NOT_COMPARED
    shared = a.recorded.held[tap].keys() & b.recorded.held[partner].keys()
    return apart.get((tap.kind, tap.tensor), SAME) if shared else NOT_COMPARED
