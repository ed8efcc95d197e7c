"""The page of two runs: its title, and the facts that its script draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from resnet_inspect.analysis.browse.course import Course
from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.diff.comparison import Comparison
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.page.failure import FailureFacts
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

# The script files of this page only.
SCRIPT = ("scalars", "overlay", "pairs", "two_runs")
NONE = -1
# In place of the position of a distance: the values are equal, or were not compared.
SAME, NOT_COMPARED = -1, -2


class ReportSide(NamedTuple):
    """A run as one side of the page.

    `file` is its path as the user may type it. `broken` is true if it has values that are not
    finite. `failure` is the error that ended it.
    """

    info: RunInfo
    file: str
    graph: Graph
    series: Sequence[Series]
    recorded: RecordedSummaries
    scalars: Courses
    broken: bool
    failure: FailureFacts | None = None


def comparison_page(
    comparison: Comparison,
    a: ReportSide,
    b: ReportSide,
    program: str,
    missing: Sequence[Note] = (),
    diagrams: Sequence[str] = (),
) -> str:
    """Two runs side by side as HTML.

    Args:
        comparison: the comparison of both runs.
        a: the first run.
        b: the second run.
        program: name and version of the program that makes the page.
        missing: notes about parts that are missing from the page.
        diagrams: SVG elements without a style sheet: one for each run, or one for both.
    """
    both = (a, b)
    files = [side.file for side in both]
    titles = [f"{side.info.network} ({PurePath(side.file).name})" for side in both]
    series = [*a.series, *b.series]
    packed = numbers.PackedSeries(series, _scales(comparison, a, b))
    names = Pairs(comparison)
    rows = comparison.diff.distributions.rows
    facts = {
        "sections": list(
            sections(
                comparison,
                [side.info for side in both],
                files,
                [side.scalars for side in both],
                [side.failure for side in both],
            )
        ),
        "closing": list(closing(comparison, files, missing)),
        "word": "ops" if comparison.diff.graph.depth == Depth.OP else "layers",
        "layers": names.panels(_tensors(comparison, a, b)),
        "pairs": names.table(),
        "distances": distance_tables(comparison, names),
        "remarks": distance_remarks(comparison),
        "courses": courses(rows),
        "scalars": scalar_curves(a.scalars, b.scalars),
        "ops": [],
        "variables": [],
        "inputs": [],
        "recorded": list(comparison.diff.distributions.steps),
        **numbers.page_facts(packed, series),
    }
    return page(
        title=" against ".join(titles),
        heads=[_head(name, side) for name, side in zip(NAMES, both, strict=True)],
        program=program,
        commands="diff, shapes, hist, check",
        script=SCRIPT,
        facts=facts,
        numbers=packed.bytes,
        diagrams=diagrams,
    )


def _head(name: str, side: ReportSide) -> Head:
    line = head(side.info, broken=side.broken)
    return line._replace(text=f"{name}: {line.text}, {PurePath(side.file).name}")


def _places(series: Sequence[Series]) -> dict[Tap, int]:
    return {tensor.tap: at for at, tensor in enumerate(series)}


def _scales(comparison: Comparison, a: ReportSide, b: ReportSide) -> list[Scale | None]:
    """The scales of all series of A, then of B; tensors of both runs have a common scale."""
    places = _places(a.series), _places(b.series)
    scales_a: list[Scale | None] = [None] * len(a.series)
    scales_b: list[Scale | None] = [None] * len(b.series)
    for tap, partner in comparison.tensors:
        if tap is not None and partner is not None:
            at_a, at_b = places[0][tap], places[1][partner]
            summaries = [*a.series[at_a].course.values(), *b.series[at_b].course.values()]
            scales_a[at_a] = scales_b[at_b] = numbers.scale_of(Course.of(summaries))
    return [*scales_a, *scales_b]


def _tensors(
    comparison: Comparison, a: ReportSide, b: ReportSide
) -> dict[tuple[str, str], list[tuple[int, int, int]]]:
    """The positions of series and distances by layer names, as described at `pairs.Tensors`."""
    first, second = _places(a.series), _places(b.series)
    rows = comparison.diff.distributions.rows
    distance_at = {(row.kind, row.tensor_a): at for at, row in enumerate(rows)}
    to_b = {pair.a.name: pair.b.name for pair in comparison.pairs if pair.a and pair.b}
    to_a = {name_b: name_a for name_a, name_b in to_b.items()}
    tensors: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for tap, partner in comparison.tensors:
        if tap is not None:
            key = (tap.layer, to_b.get(tap.layer, ""))
            at_b = NONE if partner is None else second[partner] + len(first)
            distance = _distance(tap, partner, distance_at, a, b)
            tensors.setdefault(key, []).append((first[tap], at_b, distance))
        elif partner is not None:
            key = (to_a.get(partner.layer, ""), partner.layer)
            tensors.setdefault(key, []).append((NONE, second[partner] + len(first), NOT_COMPARED))
    return tensors


def _distance(
    tap: Tap,
    partner: Tap | None,
    distance_at: Mapping[tuple[str, str], int],
    a: ReportSide,
    b: ReportSide,
) -> int:
    if partner is None or tap not in a.recorded.summaries or partner not in b.recorded.summaries:
        return NOT_COMPARED
    shared = a.recorded.summaries[tap].keys() & b.recorded.summaries[partner].keys()
    return distance_at.get((tap.kind, tap.tensor), SAME) if shared else NOT_COMPARED
