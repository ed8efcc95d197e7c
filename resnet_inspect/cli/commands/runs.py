"""`runs`: lists the run files in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE

DESCRIPTION = "Shows network, status, steps, findings, data and size of each file."
EXAMPLES = ("resnet-inspect runs", "resnet-inspect runs experiments/ --json")
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `runs`."""
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        type=Path,
        help="folder with run files (default: runs/)",
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the list or its JSON. An unreadable file is listed with the reason."""
    from resnet_inspect.findings import counts
    from resnet_inspect.render.pages.run_table import run_table
    from resnet_inspect.store.catalogue import FOLDER, list_runs

    folder = parsed.folder or FOLDER
    exists = parsed.folder is not None or folder.is_dir()
    rows = list_runs(folder, lambda files: counts(files, _note)) if exists else []
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(json_document(runs=rows))
    elif rows:
        from resnet_inspect.render.screen import Screen

        Screen().table([run_table(rows)])
    else:
        from resnet_inspect.commands import spelled
        from resnet_inspect.store.catalogue import FIRST_TRACE

        print(f"no runs in {folder}/; record a run: {spelled(FIRST_TRACE)}")
    return EXIT_OK


def _note(text: str) -> None:
    print(text, file=sys.stderr)
