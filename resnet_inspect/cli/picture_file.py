"""The file of a diagram: which kind its name asks for, and what is left when it cannot be drawn."""

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
    from resnet_inspect.render.diagram.look import Look

FORMS = ("svg", "dot", "png", "pdf")


def form_of(path: Path | None) -> str:
    """The kind of picture that the ending of a file's name asks for.

    Raises UsageError where it asks for none, OutputError where a picture would take the place of
    a folder or of a run file.
    """
    form = path.suffix.removeprefix(".").lower() if path is not None else ""
    if path is None or (form not in FORMS and not path.is_dir()):
        raise UsageError(
            "`graph` needs a file to draw into"
            if path is None
            else "the name of the file does not tell what kind of picture it is to be",
            where="flag -o",
            expected="a name that ends in .svg, .dot, .png or .pdf",
            got=str(path) if path is not None else "none",
            fix=("for example: ", Command("graph", options=("-o", "network.svg"))),
        )
    from resnet_inspect.store.schema import begins_as_run

    if path.is_dir() or begins_as_run(path):
        raise OutputError(
            "the picture cannot be written",
            where=str(path),
            expected="a new file, or a picture to replace",
            got="a folder" if path.is_dir() else "a run file, which is not replaced",
            fix="give another place with -o",
        )
    return form


def write_diagram(made: Diagram, look: Look, path: Path, form: str, *, timeout: float) -> None:
    """Draw a diagram into a file; where no engine can, its DOT text goes beside it."""
    from resnet_inspect.render.diagram.picture import picture_of

    try:
        picture = picture_of(made, look, form, timeout=timeout)
    except RendererError as error:
        try:
            instead = _free(path.with_suffix(".dot"))
            _write(instead, error.source)
            error.where = f"the diagram is in {instead}"
        except OutputError as unwritten:
            error.where = f"its .dot cannot be written beside it: {unwritten.got}"
        raise
    if picture.note:
        print(f"note: {printable(picture.note)}", file=sys.stderr)
    _write(path, picture.data)


def _free(wanted: Path) -> Path:
    """That name, or the first with a number that nothing has yet: no user named this file."""
    numbered = (wanted.with_name(f"{wanted.stem}-{at}{wanted.suffix}") for at in count(2))
    return next(one for one in chain([wanted], numbered) if not os.path.lexists(one))


def _write(path: Path, content: str | bytes) -> None:
    write_whole(path, content, "the picture")
    print(f"wrote {printable(str(path))}", file=sys.stderr)
