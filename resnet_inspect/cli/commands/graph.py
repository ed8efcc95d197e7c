"""`graph`: a diagram of the network of a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_inspect.cli.parser import add_json
from resnet_inspect.errors import EXIT_OK, UsageError
from resnet_inspect.paths import printable

if TYPE_CHECKING:
    from resnet_inspect.analysis.diagram.diagram import Diagram
    from resnet_inspect.render.diagram.look import Look
    from resnet_inspect.stats import NotFinite
    from resnet_inspect.store.run import Run

LONGEST = 86_400.0
LEVELS = ("stage", "block", "layer", "op")
MEASURED = ("zeros", "std", "gradient", "update-ratio")
COLOURS = (*MEASURED, "findings")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `graph`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="FILE.svg, FILE.dot, FILE.png or FILE.pdf; replaces a file that is there",
    )
    parser.add_argument("--level", choices=LEVELS, help="what a box is (default: layer)")
    parser.add_argument("--expand", action="store_true", help="draw each of blocks that are alike")
    parser.add_argument("--scope", metavar="NAME", help="one part, with its neighbours")
    parser.add_argument(
        "--path", nargs=2, metavar=("FROM", "TO"), help="all ways between two layers"
    )
    parser.add_argument("--lineage", metavar="TENSOR:AXIS", help="follow a size to its birth")
    parser.add_argument(
        "--color-by",
        choices=COLOURS,
        help="colour layers by what they held, or by the worst that `check` finds at them",
    )
    parser.add_argument("--histograms", action="store_true", help="a distribution in each layer")
    parser.add_argument("--step", type=int, metavar="N", help="default: the last recorded step")
    parser.add_argument(
        "--variables", action="store_true", help="draw variables and who reads them"
    )
    parser.add_argument("--backward", action="store_true", help="draw the gradients, too")
    parser.add_argument(
        "--rankdir", choices=("TB", "LR"), default="TB", help="downwards or sideways"
    )
    parser.add_argument("--limit", type=int, default=400, metavar="N", help="most boxes (400)")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60,
        metavar="SECONDS",
        help="for each engine that draws (60)",
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Write a picture, or print what is in it as JSON."""
    import msgspec

    from resnet_inspect.cli.picture_file import form_of, write_diagram
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.store.run import Run

    _check(parsed)
    form = "" if parsed.json else form_of(parsed.out)
    path = run_file(parsed.run)
    with Run.open(path) as recorded:
        made = _diagram(recorded, parsed)
        look = _look(recorded, made, parsed)
    made = msgspec.structs.replace(
        made, notes=(*made.notes, *_lacking(look, parsed, made.level.value))
    )
    for note in made.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(json_document(run=str(path), diagram=made, **_measured(look, parsed)))
        return EXIT_OK
    write_diagram(made, look, parsed.out, form, timeout=parsed.timeout)
    return EXIT_OK


def _check(parsed: argparse.Namespace) -> None:
    """Refuse numbers out of range, and flags that would do nothing here."""
    if parsed.limit < 1 or not 0 < parsed.timeout <= LONGEST:
        raise UsageError(
            "--limit or --timeout is out of range",
            where="command line",
            expected=f"--limit 1 or more, --timeout above 0, up to {LONGEST:.0f} (a day)",
            got=f"--limit {parsed.limit} --timeout {parsed.timeout:g}",
        )
    if parsed.json and parsed.out is not None:
        from resnet_inspect.commands import Command

        raise UsageError(
            "--json prints what is in the picture and draws none",
            where="flags --json and -o",
            expected="one of the two",
            got=f"--json -o {parsed.out}",
            fix=(
                "leave out one; to keep the JSON: ",
                Command("graph", options=("--json",)),
                " > FILE.json",
            ),
        )
    if parsed.step is not None and not (parsed.color_by in MEASURED or parsed.histograms):
        raise UsageError(
            "--step chooses numbers, and none are asked for",
            where="--step",
            expected="--color-by or --histograms beside it",
            got=f"--step {parsed.step} alone",
            fix="add --color-by zeros, or leave --step out",
        )
    if parsed.scope is not None and not parsed.scope.strip("/"):
        raise UsageError(
            "--scope names no part of the network",
            where="--scope",
            expected="a name that `resnet-inspect shapes --depth block` or `--depth layer` lists",
            got=f"'{parsed.scope}'",
            fix="leave --scope out to draw the whole network",
        )


def _diagram(recorded: Run, parsed: argparse.Namespace) -> Diagram:
    import msgspec

    from resnet_inspect.analysis.diagram.diagram import Level, Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.analysis.sizes.why import why

    graph, lineage = recorded.graph, recorded.lineage
    explanations = []
    if parsed.lineage is not None:
        target, axes = find(graph, parsed.lineage)
        explanations = [why(graph, lineage, target, axis) for axis in axes]
    options = Options(
        level=Level(parsed.level) if parsed.level else None,
        expand=parsed.expand,
        scope=parsed.scope or "",
        path=tuple(parsed.path) if parsed.path else None,
        variables=parsed.variables,
        backward=parsed.backward,
        limit=parsed.limit,
    )
    failure = recorded.info.failure
    made = draw(graph, lineage, options, explanations=explanations, failure=failure)
    if parsed.lineage is None or explanations:
        return made
    note = f"nothing is followed: {parsed.lineage} is a scalar, it has no axis"
    return msgspec.structs.replace(made, notes=(*made.notes, note))


def _look(recorded: Run, made: Diagram, parsed: argparse.Namespace) -> Look:
    from resnet_inspect.render.diagram.look import Look

    look = Look(title=recorded.info.network, rankdir=parsed.rankdir)
    if parsed.color_by == "findings":
        look = _found(recorded, made, look)
    if parsed.color_by not in MEASURED and not parsed.histograms:
        return look
    from resnet_inspect.analysis.browse.measures import MEASURES, measure
    from resnet_inspect.render.diagram.shades import alarms, bars, shades

    step = _step(recorded, parsed.step)
    held, gradients = recorded.summaries(step), recorded.summaries(step, "gradient")
    look = look._replace(title=f"{look.title}, step {step}", step=step)
    if parsed.color_by in MEASURED:
        updates = recorded.updates().get(step, {})
        values = measure(
            recorded.graph, parsed.color_by, activations=held, gradients=gradients, updates=updates
        )
        found, legend, remarks = shades(made, values, parsed.color_by)
        measured = f"{parsed.color_by}: {MEASURES[parsed.color_by]}"
        look = look._replace(shades=found, legend=legend, measure=measured, remarks=remarks)
    if parsed.histograms:
        look = look._replace(bars=bars(made, held))
    kind = "gradient" if parsed.color_by == "gradient" else "activation"
    broken = alarms(made, gradients if kind == "gradient" else held, _broken(recorded, step, kind))
    return look._replace(alarms=broken)


def _found(recorded: Run, made: Diagram, look: Look) -> Look:
    from resnet_inspect.findings import check
    from resnet_inspect.render.diagram.findings import findings_at, shades_of
    from resnet_inspect.render.pages.findings_page import counted

    found = check(recorded)
    shades, legend, remarks = shades_of(findings_at(recorded.graph, made, found), found)
    measured = f"findings: {counted(found)}"
    return look._replace(shades=shades, legend=legend, measure=measured, remarks=remarks)


def _broken(recorded: Run, step: int, kind: str) -> dict[str, NotFinite]:
    """What of each layer's output was not finite at a step."""
    taps = [tap for tap in recorded.taps() if tap.kind == kind and tap.output]
    found = {tap.layer: recorded.not_finite(tap).get(step) for tap in taps}
    return {layer: one for layer, one in found.items() if one is not None}


def _lacking(look: Look, parsed: argparse.Namespace, level: str) -> list[str]:
    """What was asked for and no box has."""
    found = []
    if parsed.color_by == "findings" and not look.shades:
        found.append(f"no box is coloured: {look.measure}" + " without a box" * bool(look.remarks))
    elif parsed.color_by and not look.shades:
        found.append(f"no box is coloured: no finite {parsed.color_by} was recorded at this step")
    if look.alarms:
        count = len(look.alarms)
        found.append(f"{count} box{'es' * (count > 1)} held NaN or infinities at this step")
    if parsed.histograms and not look.bars:
        found.append(
            "no box has a distribution recorded at this step"
            if level == "layer"
            else "no box has a distribution: they are drawn in boxes of layers (--level layer)"
        )
    return found


def _measured(look: Look, parsed: argparse.Namespace) -> dict[str, Any]:
    """What boxes are coloured by and the distributions in them, as fields of the JSON."""
    found: dict[str, Any] = {}
    if look.step is not None:
        found["step"] = look.step
        found["not_finite"] = dict(look.alarms)
    if parsed.color_by == "findings":
        told = {key: one.text for key, one in look.shades.items()}
        found["measured"] = {"name": "findings", "meaning": look.measure, "boxes": told}
    elif parsed.color_by:
        boxes = {
            key: {"value": one.value, "low": one.low, "high": one.high}
            for key, one in look.shades.items()
        }
        found["measured"] = {"name": parsed.color_by, "meaning": look.measure, "boxes": boxes}
    if parsed.histograms:
        found["distributions"] = {
            key: {"heights": one.heights, "text": one.text} for key, one in look.bars.items()
        }
    return found


def _step(recorded: Run, step: int | None) -> int:
    steps = recorded.recorded_steps()
    if steps and step in (None, *steps):
        return steps[-1] if step is None else step
    raise UsageError(
        "no step was recorded" if not steps else f"step {step} was not recorded",
        where="--step" if step is not None else "--color-by, --histograms",
        expected=f"one of {', '.join(map(str, steps[:10]))}{', …' * (len(steps) > 10)}"
        if steps
        else "a run with recorded steps",
        got=str(step) if step is not None else "none",
        fix="--record and --every decide which steps `trace` records",
    )
