"""`why`: explains the origin of a size."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json, add_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.store.run import Run

DESCRIPTION = "Without AXIS, every axis is explained."
EXAMPLES = (
    "resnet-inspect why Reshape:1",
    "resnet-inspect why dense1/kernel:0 runs/a.db --full",
    "resnet-inspect why --settings   # the axes that each setting changes",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    parser.add_argument(
        "tensor",
        nargs="?",
        metavar="TENSOR[:AXIS]",
        help="layer, op or variable, such as Reshape:1",
    )
    add_run(parser)
    parser.add_argument(
        "--settings",
        action="store_true",
        help="show which axes each setting changes, of TENSOR or all",
    )
    parser.add_argument("--full", action="store_true", help="show every op of the path")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print an explanation of each axis or its JSON."""
    import msgspec

    from resnet_inspect.analysis.sizes.measured import measured_explanation
    from resnet_inspect.analysis.sizes.names import find, graph_with
    from resnet_inspect.analysis.sizes.why import why
    from resnet_inspect.cli.run_argument import names_and_run, run_file
    from resnet_inspect.store.run import Run
    from resnet_inspect.stored import measured_graph

    names, run = names_and_run([parsed.tensor], parsed.run, parsed.run_flag, most=1)
    tensor = names[0] if names else None
    if parsed.settings:
        return _settings(run_file(run), tensor, parsed.json)
    if tensor is None:
        from resnet_inspect.commands import Command

        raise UsageError(
            "`why` needs a tensor to explain",
            where="command line",
            expected="TENSOR[:AXIS], or --settings",
            got="neither",
            fix=("write, for example: ", Command("why", ("Reshape:1",))),
        )
    path = run_file(run)
    with Run.open(path) as recorded:
        _reject_failed_op(recorded, tensor)
        graph = graph_with(recorded.graph, tensor)
        target, axes = find(graph, tensor)
        _reject_without_origins(recorded, path)
        shown = graph_with(measured_graph(recorded), tensor)
        shape = find(shown, tensor)[0].shape
        explanations = [
            measured_explanation(why(graph, recorded.lineage, target, axis), shown) for axis in axes
        ]
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        if len(explanations) == 1:
            print(json_document(shape=shape, **msgspec.structs.asdict(explanations[0])))
        else:
            print(json_document(tensor=target.name, shape=shape, axes=explanations))
        return EXIT_OK
    from resnet_inspect.render.pages.why_page import why_page
    from resnet_inspect.render.screen import Screen, plain

    screen = Screen()
    for number, explanation in enumerate(explanations):
        if number:
            screen.line(plain(""))
        why_page(screen, explanation, full=parsed.full)
    if not explanations:
        screen.line(plain(f"{target.name} is a scalar: it has no axes"))
    return EXIT_OK


def _reject_failed_op(recorded: Run, text: str) -> None:
    """Raise UsageError if `text` names the op at which building failed."""
    failure, name = recorded.info.failure, text.partition(":")[0]
    if failure is None or not name or name != failure.op or name in recorded.graph.op_by_name:
        return
    from resnet_inspect.commands import Command

    mismatch = recorded.lineage.mismatch
    inputs = mismatch.tensors if mismatch is not None else ()
    raise UsageError(
        f"'{name}' failed, so it has no output",
        where=text,
        expected="a layer, group, op or variable of the run, then :AXIS",
        got=f"{failure.kind} while {failure.during}",
        fix=f"name an input of it: {', '.join(tensor.removesuffix(':0') for tensor in inputs)}"
        if inputs
        else ("list the tensors of the run: ", Command("shapes").of(recorded.path)),
    )


def _reject_without_origins(recorded: Run, path: Path) -> None:
    """Raise UsageError if the run has no size origins."""
    from resnet_inspect.analysis.sizes.why import missing_reason

    reason = missing_reason(recorded.graph, recorded.lineage)
    if reason:
        from resnet_inspect.commands import Command

        raise UsageError(
            "the run has no size origins",
            where=str(path),
            got=reason,
            fix=(
                "try again when the training has ended; list the sizes: ",
                Command("shapes").of(path),
            ),
        )


def _settings(path: Path, tensor: str | None, as_json: bool) -> int:
    from resnet_inspect.analysis.sizes.moves import settings_moves
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.store.run import Run

    with Run.open(path) as recorded:
        _reject_without_origins(recorded, path)
        graph, name = recorded.graph, ""
        axes: tuple[int, ...] = ()
        if tensor is not None:
            target, axes = find(graph, tensor)
            name = target.name
        moves = settings_moves(graph, recorded.lineage, name, axes)
    if as_json:
        from resnet_inspect.render.documents import json_document

        print(json_document(settings=moves))
        return EXIT_OK
    from resnet_inspect.render.pages.why_page import settings_page
    from resnet_inspect.render.screen import Screen

    settings_page(Screen(), moves)
    return EXIT_OK
