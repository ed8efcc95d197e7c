"""`shapes`: the shape table of a run."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from resnet_inspect.cli.parser import add_run
from resnet_inspect.errors import EXIT_OK

if TYPE_CHECKING:
    from resnet_inspect.analysis.sizes.dangers import Danger
    from resnet_inspect.analysis.sizes.meanings import Meanings
    from resnet_inspect.store.run import Run

DEPTHS = ("stage", "block", "layer", "op")
PHASES = ("forward", "backward", "optimizer", "other")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `shapes`."""
    add_run(parser)
    parser.add_argument("--depth", choices=DEPTHS, default="layer", help="default: layer")
    parser.add_argument("--axes", action="store_true", help="say what each axis means")
    parser.add_argument("--phase", choices=PHASES, help="only ops of that part of a step")


def run(parsed: argparse.Namespace) -> int:
    """Print the table, or the same as JSON."""
    import msgspec

    from resnet_inspect.analysis.sizes.shapes import Depth, shapes
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.store.run import Run

    path = run_file(parsed.run)
    with Run.open(path) as recorded:
        graph = recorded.graph
        meanings, watch = _meanings(recorded) if parsed.axes else (None, ())
        found = shapes(graph, Depth(parsed.depth), meanings)
    if parsed.phase:
        rows = tuple(row for row in found.rows if row.phase == parsed.phase)
        found = msgspec.structs.replace(found, rows=rows)
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(
            json_document(
                run=os.fsencode(path).decode(errors="replace"),
                depth=found.depth,
                rows=found.rows,
                totals=found.totals,
                dangers=watch,
            )
        )
    else:
        from resnet_inspect.render.pages.shape_table import axes_tables, shape_tables
        from resnet_inspect.render.screen import Screen, plain

        screen = Screen()
        screen.table(axes_tables(found) if parsed.axes else shape_tables(found))
        for danger in watch:
            screen.line(plain(f"{danger.layer}: {danger.text}"))
    return EXIT_OK


def _meanings(recorded: Run) -> tuple[Meanings, tuple[Danger, ...]]:
    """What the axes of a run mean, and what was done to them that is hardly meant."""
    from resnet_inspect.analysis.sizes.dangers import dangers
    from resnet_inspect.analysis.sizes.meanings import Meanings

    meanings = Meanings(recorded.graph, recorded.lineage)
    return meanings, dangers(recorded.graph, recorded.lineage, meanings)
