"""`shapes`: prints the shape table of a run."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json, add_run
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_RUN_FILE, EXIT_USAGE

if TYPE_CHECKING:
    from resnet_inspect.analysis.sizes.dangers import Danger
    from resnet_inspect.analysis.sizes.meanings import Meanings
    from resnet_inspect.store.run import Run

DEPTHS = ("stage", "block", "layer", "op")
PHASES = ("forward", "backward", "optimizer", "other")
DESCRIPTION = "A model without layers and name scopes is always shown by ops."
EXAMPLES = (
    "resnet-inspect shapes runs/a.db --depth op --phase backward",
    "resnet-inspect shapes --axes   # show what each axis means",
    "resnet-inspect shapes --receptive-field   # with receptive fields",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `shapes`."""
    add_run(parser)
    parser.add_argument(
        "--depth", choices=DEPTHS, default="layer", help="print a row per stage, block, layer or op"
    )
    parser.add_argument("--axes", action="store_true", help="show the meaning of each axis")
    parser.add_argument(
        "--receptive-field", action="store_true", help="show which input positions a position reads"
    )
    parser.add_argument("--phase", choices=PHASES, help="show only this part of a training step")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the table or its JSON."""
    import msgspec

    from resnet_inspect.analysis.costs.macs import uncounted_notes
    from resnet_inspect.analysis.receptive.receptive_field import ReceptiveFields
    from resnet_inspect.analysis.sizes.measured import measured_sizes
    from resnet_inspect.analysis.sizes.shapes import Depth, shapes
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.store.run import Run
    from resnet_inspect.stored import measured_graph

    path = run_file(parsed.run, parsed.run_flag)
    with Run.open(path) as recorded:
        graph = measured_graph(recorded)
        meanings, axis_dangers = _meanings(recorded) if parsed.axes else (None, ())
        fields = ReceptiveFields(graph) if parsed.receptive_field or parsed.json else None
        table = shapes(graph, Depth(parsed.depth), meanings, fields)
    if parsed.phase:
        rows = tuple(row for row in table.rows if row.phase == parsed.phase)
        table = msgspec.structs.replace(table, rows=rows)
    sizes = measured_sizes(shape for row in table.rows for shape in (*row.inputs, row.shape))
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(
            json_document(
                run=os.fsencode(path).decode(errors="replace"),
                depth=table.depth,
                rows=table.rows,
                totals=table.totals,
                sizes={size.name: size.steps for size in sizes},
                dangers=axis_dangers,
            )
        )
    else:
        from resnet_inspect.render.pages.shape_table import axes_tables, legend, shape_tables
        from resnet_inspect.render.screen import Screen, plain

        screen = Screen()
        screen.table(axes_tables(table) if parsed.axes else shape_tables(table, screen.width))
        if sizes:
            screen.line(plain(legend(sizes)))
        for note in () if parsed.axes else uncounted_notes(table.totals.uncounted):
            screen.line(plain(f"{note.subject}: {note.text}"))
        for danger in axis_dangers:
            screen.line(plain(f"{danger.layer}: {danger.text}"))
    return EXIT_OK


def _meanings(recorded: Run) -> tuple[Meanings, tuple[Danger, ...]]:
    """The meanings of the axes of a run, and operations that probably use a wrong axis."""
    from resnet_inspect.analysis.sizes.dangers import dangers
    from resnet_inspect.analysis.sizes.meanings import Meanings

    meanings = Meanings(recorded.graph, recorded.lineage)
    return meanings, dangers(recorded.graph, recorded.lineage, meanings)
