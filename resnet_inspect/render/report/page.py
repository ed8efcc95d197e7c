"""The page itself: one HTML file that asks nothing of a network and runs no script but its own.

What it tells is compressed data that the script turns into text nodes; the few words that stand
in the HTML go through `html.escape`. The policy names script and style by their hashes. It knows
nothing of runs: `run` and `two_runs` say what is told.
"""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

from resnet_inspect.paths import printable
from resnet_inspect.render.diagram.look import PALETTE
from resnet_inspect.render.diagram.svg_document import style_sheet

# The files of the script that all pages have, before and after those of the page's own, in order: a
# name stands before what uses it at the start.
FIRST = ("elements", "numbers", "scale", "blocks", "tables", "curves", "pictures", "distributions")
LAST = ("panel", "targets", "tree", "diagram", "start")


class Head(NamedTuple):
    """A line of the page's title; `status` is complete, failed or another word for how it ended."""

    status: str
    text: str


def page(
    *,
    title: str,
    heads: Sequence[Head],
    program: str,
    commands: str,
    script: Sequence[str],
    facts: Mapping[str, Any],
    numbers: bytes,
    diagrams: Sequence[str] = (),
) -> str:
    """A page as HTML.

    `commands` print in a terminal what needs a script here; `script` names the page's own files of
    it, which draw `facts` and `numbers`. `diagrams` are SVG elements without a style sheet.
    """
    style, joined = _style(bool(diagrams)), _script([*FIRST, *script, *LAST])
    policy = (
        f"default-src 'none'; script-src '{_hash(joined)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "title": escape(printable(f"{title} – {program}")),
        "heads": "<br>".join(map(_head, heads)),
        "program": escape(program),
        "commands": escape(commands),
        "style": style,
        "script": joined,
        "diagram": _pictures([_for_readers(one) for one in diagrams]),
        "facts": _data(msgspec.json.encode(facts)),
        "numbers": _data(numbers),
    }
    html = _part("page.html")
    before, *rest = html.split("{{")
    made = [before]
    for piece in rest:
        name, _, after = piece.partition("}}")
        made += [parts[name], after]
    return "".join(made)


def _head(head: Head) -> str:
    return f'<span class="dot {escape(head.status)}"></span>{escape(printable(head.text))}'


def _pictures(diagrams: Sequence[str]) -> str:
    """The picture; of several the first is shown, and the script lets choose."""
    if len(diagrams) < 2:
        return "".join(diagrams)
    return "".join(
        f'<div class="side"{" hidden" if at else ""}>{one}</div>' for at, one in enumerate(diagrams)
    )


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


def _script(names: Sequence[str]) -> str:
    """The script: its files are one function, so that they share their names with nobody else."""
    body = "\n".join(_part(f"script/{name}.js") for name in names)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _data(body: bytes) -> str:
    return b64encode(gzip.compress(body, 6, mtime=0)).decode()
