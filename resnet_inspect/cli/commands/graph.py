"""`graph`: draws the network of a run."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json, add_output, add_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RENDERER,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    UsageError,
)
from resnet_inspect.paths import printable

if TYPE_CHECKING:
    from resnet_inspect.analysis.diagram.diagram import Diagram
    from resnet_inspect.render.diagram.look import DiagramStyle
    from resnet_inspect.stats import NotFinite
    from resnet_inspect.store.run import Run

LONGEST = 86_400.0  # seconds
LEVELS = ("stage", "block", "layer", "op")
MEASURED = ("zeros", "std", "gradient", "update-ratio")
COLOURS = (*MEASURED, "findings")
DESCRIPTION = "The type of FILE is .svg, .png, .pdf or .dot. FILE is replaced if it exists."
EXAMPLES = (
    "resnet-inspect graph -o network.svg",
    "resnet-inspect graph runs/a.db -o size.svg --lineage Reshape:1",
    "resnet-inspect graph -o zeros.png --level block --color-by zeros",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RENDERER, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `graph`."""
    add_run(parser)
    add_output(parser, "FILE", "write this picture file")
    parser.add_argument(
        "--level",
        choices=LEVELS,
        help="draw a box per stage, block, layer or op (default: at most 60 boxes)",
    )
    parser.add_argument("--expand", action="store_true", help="draw repeated blocks separately")
    parser.add_argument("--scope", metavar="NAME", help="draw only this part and its neighbours")
    parser.add_argument(
        "--path", nargs=2, metavar=("FROM", "TO"), help="draw all paths between two layers"
    )
    parser.add_argument(
        "--lineage", metavar="TENSOR:AXIS", help="draw the path from this size to its origin"
    )
    parser.add_argument(
        "--color-by", choices=COLOURS, help="colour layers by a measure or by their findings"
    )
    parser.add_argument(
        "--histograms", action="store_true", help="draw the distribution of each layer's output"
    )
    parser.add_argument(
        "--step", type=int, metavar="N", help="use this step (default: the last recorded step)"
    )
    parser.add_argument(
        "--variables", action="store_true", help="draw variables and the ops that read them"
    )
    parser.add_argument("--backward", action="store_true", help="draw the gradient ops too")
    parser.add_argument(
        "--rankdir", choices=("TB", "LR"), default="TB", help="draw top-down or left to right"
    )
    parser.add_argument("--limit", type=int, default=400, metavar="N", help="draw at most N boxes")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60,
        metavar="SECONDS",
        help="stop each Graphviz engine after this time",
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Write a picture, or print its content as JSON."""
    import msgspec

    from resnet_inspect.cli.picture_file import form_of, write_diagram
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.store.run import Run

    _check(parsed)
    form = "" if parsed.json else form_of(parsed.output)
    path = run_file(parsed.run, parsed.run_flag)
    with Run.open(path) as recorded:
        diagram = _diagram(recorded, parsed)
        look = _look(recorded, diagram, parsed)
    notes = (*diagram.notes, *_notes(look, parsed, diagram.level.value))
    diagram = msgspec.structs.replace(diagram, notes=notes)
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(json_document(run=str(path), diagram=diagram, **_measured(look, parsed)))
        return EXIT_OK
    write_diagram(diagram, look, parsed.output, form, timeout=parsed.timeout)
    return EXIT_OK


def _check(parsed: argparse.Namespace) -> None:
    """Raise UsageError for numbers out of range and for options that have no effect here."""
    if parsed.limit < 1 or not 0 < parsed.timeout <= LONGEST:
        raise UsageError(
            "--limit or --timeout is out of range",
            where="command line",
            expected=f"--limit of at least 1, --timeout above 0 and up to {LONGEST:.0f} seconds",
            got=f"--limit {parsed.limit} --timeout {parsed.timeout:g}",
            fix="leave out both for the defaults",
        )
    if parsed.json and parsed.output is not None:
        from resnet_inspect.commands import Command

        raise UsageError(
            "--json draws no picture",
            where="flags --json and -o",
            expected="--json or -o",
            got=f"--json -o {parsed.output}",
            fix=(
                "leave out --json or -o; to store the JSON: ",
                Command("graph", options=("--json",)),
                " > FILE.json",
            ),
        )
    if parsed.step is not None and not (parsed.color_by in MEASURED or parsed.histograms):
        raise UsageError(
            "--step has no effect without recorded values",
            where="flag --step",
            expected="--step with --histograms or with --color-by and a measure",
            got=f"--step {parsed.step}",
            fix="add --color-by zeros, or leave out --step",
        )
    if parsed.scope is not None and not parsed.scope.strip("/"):
        raise UsageError(
            "--scope needs the name of a part of the network",
            where="flag --scope",
            expected="a name that `resnet-inspect shapes --depth block` or `--depth layer` lists",
            got=f"'{parsed.scope}'",
            fix="leave out --scope to draw the whole network",
        )


def _diagram(recorded: Run, parsed: argparse.Namespace) -> Diagram:
    import msgspec

    from resnet_inspect.analysis.diagram.diagram import Level, Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.analysis.sizes.why import why
    from resnet_inspect.stored import measured_graph

    graph, lineage = recorded.graph, recorded.lineage
    explanations = []
    if parsed.lineage is not None:
        target, axes = find(graph, parsed.lineage)
        explanations = [why(graph, lineage, target, axis) for axis in axes]
    level = parsed.level or ("layer" if parsed.histograms and not parsed.scope else None)
    options = Options(
        level=Level(level) if level else None,
        expand=parsed.expand,
        scope=parsed.scope or "",
        path=tuple(parsed.path) if parsed.path else None,
        variables=parsed.variables,
        backward=parsed.backward,
        limit=parsed.limit,
    )
    failure = recorded.info.failure
    shown = measured_graph(recorded)
    diagram = draw(shown, lineage, options, explanations=explanations, failure=failure)
    if parsed.lineage is None or explanations:
        return diagram
    note = f"--lineage has no effect: {parsed.lineage} is a scalar and has no axes"
    return msgspec.structs.replace(diagram, notes=(*diagram.notes, note))


def _look(recorded: Run, diagram: Diagram, parsed: argparse.Namespace) -> DiagramStyle:
    from resnet_inspect.render.diagram.look import DiagramStyle

    look = DiagramStyle(title=recorded.info.network, rankdir=parsed.rankdir)
    if parsed.color_by == "findings":
        look = _coloured_by_findings(recorded, diagram, look)
    if parsed.color_by not in MEASURED and not parsed.histograms:
        return look
    from resnet_inspect.analysis.browse.measures import MEASURES, measure
    from resnet_inspect.render.diagram.shades import alarms, bars, shades

    step = _step(recorded, parsed.step)
    activations, gradients = recorded.summaries(step), recorded.summaries(step, "gradient")
    look = look._replace(title=f"{look.title}, step {step}", step=step)
    if parsed.color_by in MEASURED:
        updates = recorded.updates().get(step, {})
        values = measure(
            recorded.graph,
            parsed.color_by,
            activations=activations,
            gradients=gradients,
            updates=updates,
        )
        colours, legend, remarks = shades(diagram, values, parsed.color_by)
        measured = f"{parsed.color_by}: {MEASURES[parsed.color_by]}"
        look = look._replace(shades=colours, legend=legend, measure=measured, remarks=remarks)
    if parsed.histograms:
        look = look._replace(bars=bars(diagram, activations))
    kind = "gradient" if parsed.color_by == "gradient" else "activation"
    summaries = gradients if kind == "gradient" else activations
    return look._replace(alarms=alarms(diagram, summaries, _not_finite(recorded, step, kind)))


def _coloured_by_findings(recorded: Run, diagram: Diagram, look: DiagramStyle) -> DiagramStyle:
    from resnet_inspect.findings import check
    from resnet_inspect.render.diagram.findings import findings_at, shades_of
    from resnet_inspect.render.pages.findings_page import findings_count

    findings = check(recorded)
    shades, legend, remarks = shades_of(findings_at(recorded.graph, diagram, findings), findings)
    measured = f"findings: {findings_count(findings)}"
    return look._replace(shades=shades, legend=legend, measure=measured, remarks=remarks)


def _not_finite(recorded: Run, step: int, kind: str) -> dict[str, NotFinite]:
    """The NaN and infinities in each layer's output at a step."""
    taps = [tap for tap in recorded.taps() if tap.kind == kind and tap.output]
    by_layer = {tap.layer: recorded.not_finite(tap).get(step) for tap in taps}
    return {layer: counts for layer, counts in by_layer.items() if counts is not None}


def _notes(look: DiagramStyle, parsed: argparse.Namespace, level: str) -> list[str]:
    """Sentences about requested content that no box has, and about NaN and infinities."""
    notes = []
    if parsed.color_by == "findings" and not look.shades:
        notes.append(f"no box is coloured: {look.measure}" + " without a box" * bool(look.remarks))
    elif parsed.color_by and not look.shades:
        notes.append(f"no box is coloured: no finite {parsed.color_by} was recorded at this step")
    if look.alarms:
        count = len(look.alarms)
        notes.append(f"{count} box{'es' * (count > 1)} had NaN or infinities at this step")
    if parsed.histograms and not look.bars:
        notes.append(
            "no box has a distribution recorded at this step"
            if level == "layer"
            else "no box has a distribution: only boxes of layers have them (--level layer)"
        )
    return notes


def _measured(look: DiagramStyle, parsed: argparse.Namespace) -> dict[str, Any]:
    """The JSON fields of the colours and distributions of boxes."""
    fields: dict[str, Any] = {}
    if look.step is not None:
        fields["step"] = look.step
        fields["not_finite"] = dict(look.alarms)
    if parsed.color_by == "findings":
        texts = {key: shade.text for key, shade in look.shades.items()}
        fields["measured"] = {"name": "findings", "meaning": look.measure, "boxes": texts}
    elif parsed.color_by:
        boxes = {
            key: {"value": shade.value, "low": shade.low, "high": shade.high}
            for key, shade in look.shades.items()
        }
        fields["measured"] = {"name": parsed.color_by, "meaning": look.measure, "boxes": boxes}
    if parsed.histograms:
        fields["distributions"] = {
            key: {"heights": bar.heights, "text": bar.text} for key, bar in look.bars.items()
        }
    return fields


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
        fix="`trace` records the steps that --every and --record select",
    )
