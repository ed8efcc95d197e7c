"""`report`: writes a run, or a comparison of two runs, as one page or picture."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.output import write_whole
from resnet_inspect.cli.parser import add_output, add_run, add_second_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RENDERER,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    RendererError,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.store.run import Run

FORMS = (".html", ".htm", ".svg")
DESCRIPTION = """\
The page is one file and opens without a network connection. With RUN_B it
compares both runs, RUN as A and RUN_B as B."""
EXAMPLES = (
    "resnet-inspect report -o report.html",
    "resnet-inspect report runs/a.db runs/b.db -o both.html",
    "resnet-inspect report runs/a.db -o network.svg   # diagram and histograms",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RENDERER, EXIT_RUN_FILE, EXIT_INTERRUPTED) | {
    EXIT_RENDERER: "FILE.svg: Graphviz is missing or failed; FILE.dot is written",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `report`."""
    add_run(parser)
    add_second_run(parser)
    add_output(parser, "FILE", "write FILE.html, or one run as FILE.svg", required=True)


def run(parsed: argparse.Namespace) -> int:
    """Write the page or the picture."""
    from resnet_inspect import api
    from resnet_inspect.cli.run_argument import run_file

    output: Path = parsed.output
    form = output.suffix.lower()
    if form not in FORMS:
        raise UsageError(
            "the report cannot have this file type",
            where="flag --output",
            expected="a file name that ends in .html or .svg",
            got=os.fsencode(output).decode(errors="replace"),
            fix="write, for example, -o report.html",
        )
    path = run_file(parsed.run, parsed.run_flag)
    if form == ".svg" and parsed.other:
        raise UsageError(
            "a picture shows one run, and two are given",
            where="flag --output",
            expected="a file name that ends in .html for two runs",
            got=os.fsencode(output).decode(errors="replace"),
            fix="write -o report.html, or a picture of each run",
        )
    gc.disable()  # a page has no garbage; collection took a fifth of the time
    with ExitStack() as opened:
        recorded = opened.enter_context(api.open_run(path))
        if form == ".svg":
            text = _picture(recorded, output)
        else:
            other = opened.enter_context(api.open_run(parsed.other)) if parsed.other else None
            text = api.report(recorded, other, note=_note)
    write_whole(output, text, "the report")
    print(f"wrote {output} ({len(text) / 1e6:.1f} MB)", file=sys.stderr)
    return EXIT_OK


def _picture(recorded: Run, output: Path) -> str:
    """The picture as SVG; without Graphviz its DOT text is written and the error raised."""
    from resnet_inspect import api

    try:
        return api.picture(recorded)
    except RendererError as error:
        text_file = output.with_suffix(".dot")
        write_whole(text_file, api.picture(recorded, "dot"), "the DOT text")
        error.where = f"the diagram is in {text_file}"
        raise


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)
