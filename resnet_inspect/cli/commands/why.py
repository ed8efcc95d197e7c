"""`why`: where a size comes from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.parser import add_json, add_run_after_names
from resnet_inspect.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from resnet_inspect.store.run import Run


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `why`."""
    parser.add_argument(
        "tensor",
        nargs="?",
        metavar="TENSOR[:AXIS]",
        help="layer, op or variable, such as Reshape:1; without AXIS, all axes",
    )
    add_run_after_names(parser)
    parser.add_argument(
        "--settings",
        action="store_true",
        help="for each setting, every axis that it moves; with TENSOR only of that",
    )
    parser.add_argument("--full", action="store_true", help="every op of the chain")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print an explanation an axis, or the same as JSON."""
    import msgspec

    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.analysis.sizes.why import why
    from resnet_inspect.cli.run_argument import names_and_run, run_file
    from resnet_inspect.store.run import Run

    names, run = names_and_run([parsed.tensor], parsed.run, parsed.run_flag, most=1)
    tensor = names[0] if names else None
    if parsed.settings:
        return _settings(run_file(run), tensor, parsed.json)
    if tensor is None:
        from resnet_inspect.commands import Command

        raise UsageError(
            "`why` needs something to explain",
            where="command line",
            expected="TENSOR[:AXIS], or --settings",
            got="neither",
            fix=("for example: ", Command("why", ("Reshape:1",))),
        )
    path = run_file(run)
    with Run.open(path) as recorded:
        _refuse_unmade(recorded, tensor)
        target, axes = find(recorded.graph, tensor)
        _refuse_unknown(recorded, path)
        found = [why(recorded.graph, recorded.lineage, target, axis) for axis in axes]
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        if len(found) == 1:
            print(json_document(shape=target.shape, **msgspec.structs.asdict(found[0])))
        else:
            print(json_document(tensor=target.name, shape=target.shape, axes=found))
        return EXIT_OK
    from resnet_inspect.render.pages.why_page import why_page
    from resnet_inspect.render.screen import Screen, plain

    screen = Screen()
    for place, one in enumerate(found):
        if place:
            screen.line(plain(""))
        why_page(screen, one, full=parsed.full)
    if not found:
        screen.line(plain(f"{target.name} is a scalar: it has no axes"))
    return EXIT_OK


def _refuse_unmade(recorded: Run, text: str) -> None:
    """Raise UsageError where the name is that of the op at which building failed."""
    failure, name = recorded.info.failure, text.partition(":")[0]
    if failure is None or not name or name != failure.op or name in recorded.graph.op_by_name:
        return
    from resnet_inspect.commands import Command

    mismatch = recorded.lineage.mismatch
    given = mismatch.tensors if mismatch is not None else ()
    raise UsageError(
        f"'{name}' was refused, so it was never made",
        where=text,
        expected="a layer, an op or a variable of the run, then :AXIS",
        got=f"{failure.kind} while {failure.during}",
        fix=f"ask for what it was given: {', '.join(one.removesuffix(':0') for one in given)}"
        if given
        else ("`", Command("shapes"), "` lists what was made"),
    )


def _refuse_unknown(recorded: Run, path: Path) -> None:
    """Raise UsageError where the run does not say where sizes come from."""
    from resnet_inspect.analysis.sizes.why import not_known

    reason = not_known(recorded.graph, recorded.lineage)
    if reason:
        from resnet_inspect.commands import Command

        raise UsageError(
            "where sizes come from is not known of this run",
            where=str(path),
            got=reason,
            fix=(
                "`",
                Command("shapes"),
                "` lists the sizes; of a training that still runs, ask again when it is over",
            ),
        )


def _settings(path: Path, tensor: str | None, as_json: bool) -> int:
    from resnet_inspect.analysis.sizes.moves import settings_moves
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.store.run import Run

    with Run.open(path) as recorded:
        _refuse_unknown(recorded, path)
        graph, name = recorded.graph, ""
        axes: tuple[int, ...] = ()
        if tensor is not None:
            target, axes = find(graph, tensor)
            name = target.name
        found = settings_moves(graph, recorded.lineage, name, axes)
    if as_json:
        from resnet_inspect.render.documents import json_document

        print(json_document(settings=found))
        return EXIT_OK
    from resnet_inspect.render.pages.why_page import settings_page
    from resnet_inspect.render.screen import Screen

    settings_page(Screen(), found)
    return EXIT_OK
