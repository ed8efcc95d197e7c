"""`graph`: a diagram of the network of a run."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.parser import add_json
from resnet_inspect.errors import EXIT_OK, OutputError, RendererError, UsageError

if TYPE_CHECKING:
    from resnet_inspect.analysis.diagram import Diagram
    from resnet_inspect.render.diagram_look import Look
    from resnet_inspect.store.run import Run

FORMS = ("svg", "dot", "png", "pdf")
LEVELS = ("stage", "block", "layer", "op")
COLOURS = ("zeros", "std", "gradient", "update-ratio")


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
    parser.add_argument("--scope", metavar="NAME", default="", help="one part, with its neighbours")
    parser.add_argument(
        "--path", nargs=2, metavar=("FROM", "TO"), help="all ways between two layers"
    )
    parser.add_argument("--lineage", metavar="TENSOR:AXIS", help="follow a size to its birth")
    parser.add_argument("--color-by", choices=COLOURS, help="colour layers by what they held")
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
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="for drawing")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Write a picture, or print what is in it as JSON."""
    import msgspec

    from resnet_inspect.store import catalogue
    from resnet_inspect.store.run import Run

    form = _form(parsed)
    path = Path(parsed.run) if parsed.run else catalogue.newest()
    with Run.open(path) as recorded:
        made = _diagram(recorded, parsed)
        if parsed.json:
            from resnet_inspect.render.documents import json_document

            print(json_document(run=str(path), diagram=made))
            return EXIT_OK
        look = _look(recorded, made, parsed, form)
    made = msgspec.structs.replace(made, notes=(*made.notes, *_lacking(look, parsed)))
    for note in made.notes:
        print(f"note: {_plain(note)}", file=sys.stderr)
    _draw(made, look, form, parsed)
    return EXIT_OK


def _form(parsed: argparse.Namespace) -> str:
    """The kind of file, by its ending."""
    if parsed.limit < 1 or not parsed.timeout > 0:
        raise UsageError(
            "--limit and --timeout are greater than 0",
            where="command line",
            expected="--limit 1 or more, --timeout above 0",
            got=f"--limit {parsed.limit} --timeout {parsed.timeout:g}",
        )
    form = parsed.out.suffix.removeprefix(".").lower() if parsed.out else ""
    if form not in FORMS and not (parsed.json and parsed.out is None):
        raise UsageError(
            "`graph` needs a file to draw into",
            where="flag -o",
            expected="a name that ends in .svg, .dot, .png or .pdf",
            got=str(parsed.out) if parsed.out else "none",
            fix="for example: resnet-inspect graph -o network.svg",
        )
    return form


def _diagram(recorded: Run, parsed: argparse.Namespace) -> Diagram:
    from resnet_inspect.analysis.diagram import Level, Options
    from resnet_inspect.analysis.diagram_drawing import draw
    from resnet_inspect.analysis.names import find
    from resnet_inspect.analysis.why import why

    graph, lineage = recorded.graph, recorded.lineage
    explanations = []
    if parsed.lineage:
        target, axes = find(graph, parsed.lineage)
        explanations = [why(graph, lineage, target, axis) for axis in axes]
    options = Options(
        level=Level(parsed.level) if parsed.level else None,
        expand=parsed.expand,
        scope=parsed.scope,
        path=tuple(parsed.path) if parsed.path else None,
        variables=parsed.variables,
        backward=parsed.backward,
        limit=parsed.limit,
    )
    failure = recorded.info.failure
    return draw(graph, lineage, options, explanations=explanations, failure=failure)


def _look(recorded: Run, made: Diagram, parsed: argparse.Namespace, form: str) -> Look:
    from resnet_inspect.render.diagram_look import Look

    look = Look(title=recorded.info.network, rankdir=parsed.rankdir, svg=form in ("svg", "dot"))
    if not parsed.color_by and not parsed.histograms:
        return look
    from resnet_inspect.analysis.measures import MEASURES, measure
    from resnet_inspect.render.diagram_shades import bars, shades

    step = _step(recorded, parsed.step)
    held = recorded.summaries(step)
    look = look._replace(title=f"{look.title}, step {step}")
    if parsed.color_by:
        values = measure(
            recorded.graph,
            parsed.color_by,
            activations=held,
            gradients=recorded.summaries(step, "gradient"),
            updates=recorded.updates().get(step, {}),
        )
        found, legend = shades(made, values, parsed.color_by)
        measured = f"{parsed.color_by}: {MEASURES[parsed.color_by]}"
        look = look._replace(shades=found, legend=legend, measure=measured)
    if parsed.histograms:
        look = look._replace(bars=bars(made, held))
    return look


def _lacking(look: Look, parsed: argparse.Namespace) -> list[str]:
    """What was asked for and no box has."""
    found = []
    if parsed.color_by and not look.shades:
        found.append(f"no box has a finite {parsed.color_by} recorded at this step")
    if parsed.histograms and not look.bars:
        found.append("no box has a distribution recorded at this step: boxes of layers have")
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


def _draw(made: Diagram, look: Look, form: str, parsed: argparse.Namespace) -> None:
    from resnet_inspect.render.dot import dot
    from resnet_inspect.render.engine import drawn

    text = dot(made, look)
    if form == "dot":
        _write(parsed.out, text.encode())
        return
    try:
        picture = drawn(text, form, timeout=parsed.timeout)
    except RendererError as error:
        instead = parsed.out.with_suffix(".dot")
        _write(instead, text.encode())
        error.where = f"the diagram is in {instead}"
        raise
    if picture.note:
        print(f"note: {_plain(picture.note)}", file=sys.stderr)
    data = picture.data
    if form == "svg":
        from resnet_inspect.render.diagram_svg import document

        data = document(data, made, look).encode()
    _write(parsed.out, data)


def _plain(text: str) -> str:
    from resnet_inspect.paths import printable

    return printable(text)


def _write(path: Path, data: bytes) -> None:
    """Put a whole file in its place, so that a picture that is there stays until then."""
    place = Path(os.path.realpath(path))
    part = place.with_name(f".{place.name[:200]}.{os.getpid()}.part")
    try:
        if place.exists() and not place.is_file():
            place.write_bytes(data)
        else:
            try:
                part.write_bytes(data)
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            "the picture cannot be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="give another place with -o",
        ) from error
    print(f"wrote {path}", file=sys.stderr)
