"""`report`: everything of a run on one page, or in one picture; of two runs what differs."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.output import write_whole
from resnet_inspect.errors import EXIT_OK, RendererError, UsageError

if TYPE_CHECKING:
    from resnet_inspect.store.run import Run

FORMS = (".html", ".htm", ".svg")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `report`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")
    parser.add_argument(
        "other",
        nargs="?",
        metavar="OTHER",
        help="another run file: the page then tells what is different, RUN as A and OTHER as B",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="FILE",
        help="FILE.html: the page; FILE.svg: diagram and histograms of one run, for a document; "
        "an older file is replaced, once the new one is whole",
    )


def run(parsed: argparse.Namespace) -> int:
    """Write the page or the picture."""
    from resnet_inspect import api
    from resnet_inspect.cli.run_argument import run_file

    output: Path = parsed.output
    form = output.suffix.lower()
    if form not in FORMS:
        raise UsageError(
            "there is no such kind of report",
            where="flag --output",
            expected="a file name that ends in .html or .svg",
            got=os.fsencode(output).decode(errors="replace"),
            fix="for example: -o report.html",
        )
    path = run_file(parsed.run)
    if form == ".svg" and parsed.other:
        raise UsageError(
            "there is no picture of two runs",
            where="flag --output",
            expected="with two runs a file name that ends in .html",
            got=os.fsencode(output).decode(errors="replace"),
            fix="for example: -o report.html; or a picture of each run",
        )
    gc.disable()  # nothing made here is garbage, and searching it took a fifth of the time
    with ExitStack() as opened:
        recorded = opened.enter_context(api.open_run(path))
        if form == ".svg":
            text = _picture(recorded, output)
        else:
            other = opened.enter_context(api.open_run(parsed.other)) if parsed.other else None
            text = api.report(recorded, other, tell=_note)
    write_whole(output, text, "the report")
    print(f"wrote {output} ({len(text) / 1e6:.1f} MB)", file=sys.stderr)
    return EXIT_OK


def _picture(recorded: Run, output: Path) -> str:
    """The picture; what Graphviz should have drawn is written where there is none."""
    from resnet_inspect import api

    try:
        return api.picture(recorded)
    except RendererError as error:
        instead = output.with_suffix(".dot")
        write_whole(instead, api.picture(recorded, "dot"), "the diagram's text")
        error.where = f"the diagram is in {instead}"
        raise


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)
