"""`diff`: compares two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_RUN_FILE, EXIT_USAGE

DEPTHS = ("layer", "op")
DESCRIPTION = "Failed and interrupted runs are compared up to their last step."
EXAMPLES = (
    "resnet-inspect diff runs/a.db runs/b.db",
    "resnet-inspect diff runs/a.db runs/b.db --depth op --all",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `diff`."""
    parser.add_argument("a", metavar="RUN_A", type=Path, help="run file to read")
    parser.add_argument("b", metavar="RUN_B", type=Path, help="run file to compare RUN_A with")
    parser.add_argument("--depth", choices=DEPTHS, default="layer", help="compare layers or ops")
    parser.add_argument(
        "--all",
        action="store_true",
        help="print every row; compare distributions at every common step",
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the differences or their JSON."""
    from resnet_inspect import api
    from resnet_inspect.store.run import Run

    with Run.open(parsed.a) as first, Run.open(parsed.b) as second:
        differences = api.diff(first, second, parsed.depth, every_step=parsed.all)
    if parsed.json:
        from resnet_inspect.render.documents import diff_fields, json_document

        print(json_document(**diff_fields(differences)))
        return EXIT_OK
    from resnet_inspect.render.diff.page import diff_page
    from resnet_inspect.render.screen import Screen

    diff_page(Screen(), differences, every_row=parsed.all)
    return EXIT_OK
