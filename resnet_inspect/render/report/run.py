"""The page of one run: its facts as the page's script draws them, and its title."""

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
from resnet_inspect.render.report.whys import Whys
from resnet_inspect.store.info import RunInfo

# The files of the script that only this page has.
SCRIPT = ("shapes", "scalars", "why", "ops", "layers", "run")
BROKEN = ", with numbers that are not finite"


def run_page(
    info: RunInfo,
    found: Report,
    series: Sequence[Series],
    file: str,
    program: str,
    diagram: str | None = None,
) -> str:
    """The whole of a run as HTML; `file` is the run's path as the user may type it, `program`
    who made the page.

    `diagram` is a picture of the network as an SVG element without a style sheet, made by
    `render.report.drawing`; None leaves the list of layers to stand for it.
    """
    packed = numbers.Packed(series)
    return page(
        title=info.network,
        heads=[head(info, broken=found.overview.origin is not None)],
        program=program,
        commands="shapes, why, hist",
        script=SCRIPT,
        facts=_facts(info, found, series, packed, file),
        numbers=packed.bytes,
        diagrams=[] if diagram is None else [diagram],
    )


def head(info: RunInfo, *, broken: bool) -> Head:
    """What the page's title says of a run; `broken` if numbers in it are not finite."""
    return Head("failed" if broken else info.status.value, headline(info) + BROKEN * broken)


def _facts(
    info: RunInfo, found: Report, series: Sequence[Series], packed: numbers.Packed, file: str
) -> dict[str, Any]:
    whys = Whys()
    layers, ops = layer_panels(found, whys), Ops(found, whys)
    return {
        "sections": list(sections(info, found, file)),
        "closing": list(closing(info, found, file)),
        "shapes": shape_tables(found),
        "layers": layers,
        "ops": ops.rows,
        "variables": ops.variables,
        "inputs": found.inputs,
        "specs": ops.specs,
        "lines": ops.lines,
        "told": whys.told,
        "ways": whys.steps,
        "proofs": whys.proofs,
        "program": called(sys.orig_argv),
        "file": typed(file),
        "scalars": scalar_rows(found.steps.scalars),
        "steps": list(found.steps.every),
        "recorded": list(found.steps.recorded),
        **numbers.told(packed, series),
    }
