"""Builds the HTML file, which loads nothing from a network and runs only its own script.

The content is compressed data that the script turns into text nodes. The few texts in the HTML go
through `html.escape`. The content security policy allows script and style by their hashes. This
module knows nothing of runs: `run` and `two_runs` provide the content.
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

# The script files of all pages, before and after the files of one kind of page. The order matters:
# a name is defined before the code that uses it while the script is loaded.
FIRST = ("elements", "numbers", "scale", "blocks", "tables", "curves", "pictures", "distributions")
LAST = ("panel", "targets", "tree", "diagram", "start")


class Head(NamedTuple):
    """A line of the page's title; `status` is how the run ended, such as complete or failed."""

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
    """The page as HTML.

    Args:
        title: the document's title.
        heads: the lines of the heading.
        program: name and version of the program that made the page.
        commands: the commands that print the same facts, for browsers without JavaScript.
        script: the script files of this kind of page, which draw `facts` and `numbers`.
        facts: the content, encoded as JSON.
        numbers: the packed tensor summaries, see `numbers.py`.
        diagrams: SVG elements without a style sheet.
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
        "diagram": _pictures([_without_flags(svg) for svg in diagrams]),
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
    """The diagrams. The first of several is visible, and the script offers a choice."""
    if len(diagrams) < 2:
        return "".join(diagrams)
    return "".join(
        f'<div class="side"{" hidden" if at else ""}>{svg}</div>' for at, svg in enumerate(diagrams)
    )


def _without_flags(diagram: str) -> str:
    """The diagram with actions of this page in place of command line flags in its notes.

    The id of its outermost group is changed, because the page's section has the same id.
    """
    diagram = diagram.replace('id="diagram"', 'id="network"', 1)
    clickable = re.sub("; use --expand [^;<]*", "; click one to list all its layers", diagram)
    return re.sub("; use --[a-z]+ [^;<]*", "", clickable)


def _style(diagram: bool) -> str:
    """The page's style sheet, with the diagram's, whose colours follow the chosen theme."""
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
    """The script: all files in one function, which keeps their names out of the global scope."""
    body = "\n".join(_part(f"script/{name}.js") for name in names)
    return f'"use strict";\n(() => {{\n{body}}})();\n'


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _data(body: bytes) -> str:
    return b64encode(gzip.compress(body, 6, mtime=0)).decode()
