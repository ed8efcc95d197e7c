"""`diff`: what is different between two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from resnet_inspect.cli.parser import add_json
from resnet_inspect.errors import EXIT_OK

DEPTHS = ("layer", "op")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `diff`."""
    parser.add_argument("a", metavar="RUN_A", type=Path, help="run file")
    parser.add_argument("b", metavar="RUN_B", type=Path, help="run file to compare it with")
    parser.add_argument("--depth", choices=DEPTHS, default="layer", help="default: layer")
    parser.add_argument(
        "--all", action="store_true", help="every row, and distributions at every common step"
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the differences, or the same as JSON."""
    from resnet_inspect import api
    from resnet_inspect.store.run import Run

    with Run.open(parsed.a) as first, Run.open(parsed.b) as second:
        found = api.diff(first, second, parsed.depth, every_step=parsed.all)
    if parsed.json:
        from resnet_inspect.render.documents import diff_fields, json_document

        print(json_document(**diff_fields(found)))
        return EXIT_OK
    from resnet_inspect.render.diff.page import diff_page
    from resnet_inspect.render.screen import Screen

    diff_page(Screen(), found, every_row=parsed.all)
    return EXIT_OK
