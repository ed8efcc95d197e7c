"""`hist`: shows distributions over the steps of a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.output import write_whole
from resnet_inspect.cli.parser import add_json, add_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.render.plots.scale import Kind

KINDS = ("activation", "gradient", "weight")
DESCRIPTION = """\
LAYER is a layer, op, variable or pattern, such as res2*. Without LAYER all
layers are shown at one step. RUN ends in .db or is an existing run file.
With --kind weight, LAYER selects its weights."""
EXAMPLES = (
    "resnet-inspect hist",
    "resnet-inspect hist 'res2*' runs/a.db --kind activation,gradient",
    "resnet-inspect hist bn20_branch2a --pair bn -o bn.svg",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `hist`."""
    parser.add_argument(
        "layers",
        nargs="*",
        metavar="LAYER",
        help="layers, ops, variables or patterns to show",
    )
    add_run(parser)
    parser.add_argument(
        "--kind",
        metavar="{activation,gradient,weight}",
        help="comma-separated kinds of tensors (default: activation; weight for variables)",
    )
    parser.add_argument(
        "--step", type=int, metavar="N", help="show only this recorded step, as a tall histogram"
    )
    parser.add_argument(
        "--pair",
        choices=("bn", "gradient"),
        help="also show the normalization's input, or the gradient",
    )
    parser.add_argument("--heat", action="store_true", help="draw heat maps instead of ridges")
    parser.add_argument(
        "--scale",
        choices=("auto", "linear", "symlog"),
        default="auto",
        help="choose the value axis; symlog is a symmetric-log scale",
    )
    add_json(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print CSV")
    forms.add_argument("-o", "--output", metavar="FILE", type=Path, help="write an SVG picture")
    forms.add_argument("--svg", dest="output", type=Path, help=argparse.SUPPRESS)


def run(parsed: argparse.Namespace) -> int:
    """Print plots and tables, print JSON or CSV, or write an SVG picture."""
    from resnet_inspect import api
    from resnet_inspect.cli.run_argument import names_and_run, run_file
    from resnet_inspect.store.run import Run

    kinds = _kinds(parsed.kind)
    names, run = names_and_run(parsed.layers, parsed.run, parsed.run_flag)
    path = run_file(run)
    with Run.open(path) as recorded:
        groups = api.distributions(recorded, names, kinds, parsed.pair, parsed.step)
        origin = recorded.origin
    if parsed.json:
        from resnet_inspect.render.documents import json_document
        from resnet_inspect.render.plots.distribution_data import rows_of

        print(json_document(run=str(path), rows=rows_of(groups), origin=origin))
        return EXIT_OK
    if parsed.csv:
        from resnet_inspect.render.plots.distribution_data import csv_of

        print(csv_of(groups), end="")
        return EXIT_OK
    scale: Kind | None = None if parsed.scale == "auto" else parsed.scale
    if parsed.output:
        from resnet_inspect.render.plots.distribution_pages import distributions_svg

        picture = distributions_svg(groups, heat=parsed.heat, scale=scale)
        write_whole(parsed.output, picture, "the picture")
        print(f"wrote {parsed.output}", file=sys.stderr)
        return EXIT_OK
    from resnet_inspect.render.plots.distribution_pages import distribution_page, overview_page
    from resnet_inspect.render.screen import Screen

    screen = Screen()
    if not names and not parsed.pair:
        overview_page(screen, groups, scale=scale)
    else:
        distribution_page(screen, groups, heat=parsed.heat, scale=scale)
    if origin is not None:
        from resnet_inspect.render.plots.distribution_remarks import origin_text
        from resnet_inspect.render.screen import plain

        screen.line(plain(""), plain(origin_text(origin), "bold"))
    return EXIT_OK


def _kinds(text: str | None) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in text.split(",")) if text is not None else ()
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                f"unknown kind of tensor '{kind}'",
                where="flag --kind",
                expected="a comma-separated list of " + ", ".join(KINDS),
                got=text or "nothing",
                fix="write, for example, --kind activation,gradient",
            )
    return kinds
