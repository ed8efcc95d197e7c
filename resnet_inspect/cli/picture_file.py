"""Writes a diagram: file type by suffix, and DOT text if no engine can draw."""

from __future__ import annotations

import os
import sys
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.output import write_whole
from resnet_inspect.commands import Command
from resnet_inspect.errors import OutputError, RendererError, UsageError
from resnet_inspect.paths import printable

if TYPE_CHECKING:
    from resnet_inspect.analysis.diagram.diagram import Diagram
    from resnet_inspect.render.diagram.look import DiagramStyle

FORMS = ("svg", "dot", "png", "pdf")


def form_of(path: Path | None) -> str:
    """The file type of a picture: svg, dot, png or pdf.

    Raises:
        UsageError: `path` is None or has another suffix.
        OutputError: `path` is a folder or a run file.
    """
    form = path.suffix.removeprefix(".").lower() if path is not None else ""
    if path is None or (form not in FORMS and not path.is_dir()):
        raise UsageError(
            "`graph` needs an output file"
            if path is None
            else "the picture cannot have this file type",
            where="flag -o",
            expected="a file name that ends in .svg, .dot, .png or .pdf",
            got=str(path) if path is not None else "no -o",
            fix=("write, for example: ", Command("graph", options=("-o", "network.svg"))),
        )
    from resnet_inspect.store.schema import is_run_file

    if path.is_dir() or is_run_file(path):
        raise OutputError(
            "the picture cannot be written",
            where=str(path),
            expected="a new file, or a picture to replace",
            got="a folder" if path.is_dir() else "a run file",
            fix="choose another file with -o",
        )
    return form


def write_diagram(
    diagram: Diagram, look: DiagramStyle, path: Path, form: str, *, timeout: float
) -> None:
    """Draw a diagram into a file. If no engine can, write its DOT text next to the file.

    `timeout` is in seconds for each engine. Raises RendererError if no engine can draw.
    """
    from resnet_inspect.render.diagram.picture import picture_of

    try:
        picture = picture_of(diagram, look, form, timeout=timeout)
    except RendererError as error:
        try:
            text_file = _unused(path.with_suffix(".dot"))
            _write(text_file, error.source)
            error.where = f"the diagram is in {text_file}"
        except OutputError as unwritten:
            error.where = f"the .dot file cannot be written either: {unwritten.got}"
        raise
    if picture.note:
        print(f"note: {printable(picture.note)}", file=sys.stderr)
    _write(path, picture.data)


def _unused(wanted: Path) -> Path:
    """`wanted`, or a numbered name if it exists: the user did not choose to replace the file."""
    numbered = (wanted.with_name(f"{wanted.stem}-{n}{wanted.suffix}") for n in count(2))
    return next(file for file in chain([wanted], numbered) if not os.path.lexists(file))


def _write(path: Path, content: str | bytes) -> None:
    write_whole(path, content, "the picture")
    print(f"wrote {printable(str(path))}", file=sys.stderr)
