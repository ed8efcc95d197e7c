"""The page itself: one HTML file that asks nothing of a network and runs no script but its own.

What the run tells is compressed data that the script turns into text nodes; the few words that
stand in the HTML go through `html.escape`. The policy names script and style by their hashes.
"""

from __future__ import annotations

import gzip
import math
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from shlex import quote
from typing import Any

import msgspec

from resnet_inspect.analysis.distributions import Series
from resnet_inspect.analysis.report import Report, Steps
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.answer_page import SCALARS_SHOWN, headline
from resnet_inspect.render.diagram_look import PALETTE
from resnet_inspect.render.diagram_svg import style_sheet
from resnet_inspect.render.distribution_remarks import remarks_on
from resnet_inspect.render.report import numbers
from resnet_inspect.render.report.layers import layer_panels
from resnet_inspect.render.report.ops import Ops
from resnet_inspect.render.report.sections import closing, sections, shape_tables
from resnet_inspect.render.report.whys import Whys
from resnet_inspect.store.info import RunInfo

# The files of the script, in order: a name stands before what uses it at the start.
SCRIPT = ("elements", "numbers", "scale", "blocks", "shapes", "scalars", "pictures",
          "distributions", "why", "ops", "panel", "targets", "tree", "diagram",
          "start")  # fmt: skip

BROKEN = ", with numbers that are not finite"


def page(
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
    `render.diagram_svg`; None leaves the list of layers to stand for it.
    """
    packed = numbers.Packed(series)
    told = _facts(info, found, series, packed, file)
    style, script = _style(diagram is not None), _script()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    broken = found.overview.origin is not None
    parts = {
        "policy": policy,
        "title": escape(printable(f"{info.network} – {program}")),
        "headline": escape(printable(headline(info) + (BROKEN if broken else ""))),
        "status": "failed" if broken else escape(info.status.value),
        "program": escape(program),
        "style": style,
        "script": script,
        "diagram": _for_readers(diagram or ""),
        "facts": _data(msgspec.json.encode(told)),
        "numbers": _data(packed.bytes),
    }
    html = _part("page.html")
    before, *rest = html.split("{{")
    made = [before]
    for piece in rest:
        name, _, after = piece.partition("}}")
        made += [parts[name], after]
    return "".join(made)


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
        "file": quote(file),
        "scalars": _scalars(found.steps),
        "steps": list(found.steps.every),
        "recorded": list(found.steps.recorded),
        "series": [
            one | {"remarks": list(remarks_on(held))}
            for one, held in zip(packed.series, series, strict=True)
        ],
        "format": {
            "whole": numbers.WHOLE,
            "decimal": numbers.DECIMAL,
            "cells": numbers.CELLS,
            "levels": numbers.LEVELS,
            "none": numbers.NONE,
            "infinite": numbers.INFINITE,
        },
    }


def _scalars(steps: Steps) -> list[dict[str, Any]]:
    """Each scalar's steps, values (none where not finite) and how they are written."""
    order = {name: place for place, name in enumerate(SCALARS_SHOWN)}
    return [
        {
            "name": name,
            "steps": list(values),
            "values": [value if math.isfinite(value) else None for value in values.values()],
            "texts": [spelling.number(value, 4) for value in values.values()],
        }
        for name, values in sorted(
            steps.scalars.items(), key=lambda pair: order.get(pair[0], len(order))
        )
    ]


def _for_readers(diagram: str) -> str:
    """The picture's notes with what a reader of the page can do in place of the command's flags.

    Its outermost group gives its name to the page's section.
    """
    diagram = diagram.replace('id="diagram"', 'id="network"', 1)
    clickable = re.sub("; --expand [^;<]*", "; click one for the layers of all", diagram)
    return re.sub("; --[a-z]+ [^;<]*", "", clickable)


def _style(diagram: bool) -> str:
    """The style sheet, with the diagram's, whose colours follow the page's choice too."""
    if not diagram:
        return _part("report.css")
    chosen = (
        f':root[data-theme="{theme}"] svg.diagram{{'
        + ";".join(f"--d-{name}:{pair[place]}" for name, pair in PALETTE.items())
        + "}"
        for place, theme in enumerate(("light", "dark"))
    )
    light = ";".join(f"--d-{name}:{pair[0]}" for name, pair in PALETTE.items())
    where = "svg.diagram,:root[data-theme] svg.diagram"
    printed = f"@media print{{{where}{{color-scheme:light;{light}}}}}"
    return "\n".join([_part("report.css"), style_sheet(), *chosen, printed])


def _script() -> str:
    """The script: its files are one function, so that they share their names with nobody else."""
    body = "\n".join(_part(f"script/{name}.js") for name in SCRIPT)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _data(body: bytes) -> str:
    return b64encode(gzip.compress(body, 6, mtime=0)).decode()
