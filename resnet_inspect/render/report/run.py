"""The page of one run: its title, and the facts that its script draws."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.page.report import Report
from resnet_inspect.commands import called
from resnet_inspect.paths import typed
from resnet_inspect.render.pages.answer_page import headline
from resnet_inspect.render.report import numbers
from resnet_inspect.render.report.layers import layer_panels
from resnet_inspect.render.report.ops import Ops
from resnet_inspect.render.report.page import Head, page
from resnet_inspect.render.report.sections import closing, scalar_rows, sections, shape_tables
from resnet_inspect.render.report.whys import SharedExplanations
from resnet_inspect.store.info import RunInfo

# The script files of this page only.
SCRIPT = ("shapes", "scalars", "why", "ops", "layers", "run")
BROKEN = ", with values that are not finite"


def run_page(
    info: RunInfo,
    report: Report,
    series: Sequence[Series],
    file: str,
    program: str,
    diagram: str | None = None,
) -> str:
    """A run as HTML.

    Args:
        info: the run's settings, versions and status.
        report: its graph and findings.
        series: the summaries of its tensors.
        file: its path as the user may type it.
        program: name and version of the program that makes the page.
        diagram: an SVG element without a style sheet, from `render.report.drawing`, or None.
    """
    packed = numbers.PackedSeries(series)
    return page(
        title=info.network,
        heads=[head(info, broken=report.overview.origin is not None)],
        program=program,
        commands="shapes, why, hist",
        script=SCRIPT,
        facts=_facts(info, report, series, packed, file),
        numbers=packed.bytes,
        diagrams=[] if diagram is None else [diagram],
    )


def head(info: RunInfo, *, broken: bool) -> Head:
    """A line of the page's title; `broken` if the run has values that are not finite."""
    return Head("failed" if broken else info.status.value, headline(info) + BROKEN * broken)


def _facts(
    info: RunInfo, report: Report, series: Sequence[Series], packed: numbers.PackedSeries, file: str
) -> dict[str, Any]:
    explanations = SharedExplanations()
    layers, ops = layer_panels(report, explanations), Ops(report, explanations)
    return {
        "sections": list(sections(info, report, file)),
        "closing": list(closing(info, report, file)),
        "shapes": shape_tables(report),
        "layers": layers,
        "ops": ops.rows,
        "variables": ops.variables,
        "inputs": report.inputs,
        "specs": ops.specs,
        "lines": ops.lines,
        "texts": explanations.texts,
        "ways": explanations.steps,
        "proofs": explanations.proofs,
        "program": called(sys.orig_argv),
        "file": typed(file),
        "scalars": scalar_rows(report.steps.scalars),
        "steps": list(report.steps.every),
        "recorded": list(report.steps.recorded),
        **numbers.page_facts(packed, series),
    }
