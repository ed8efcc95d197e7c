"""Writes pictures and reports to files, in a thread and from a newly opened run."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_inspect.analysis.browse.scalars import shown_scalars
from resnet_inspect.errors import OutputError
from resnet_inspect.graph import Graph
from resnet_inspect.render.plots.scale import Kind
from resnet_inspect.stats import Tap
from resnet_inspect.store.run import Run
from resnet_inspect.tui.run.places import AxisOf, Place

MAX_NAME_LENGTH = 60


@dataclass(frozen=True)
class PictureRequest:
    """The content of a picture: the `view` of a pane and what it shows."""

    view: Literal["network", "lineage", "ridges", "heat map", "scalars"]
    place: Place | None = None
    axis: AxisOf | None = None
    taps: tuple[Tap, ...] = ()
    scale: Kind | None = None

    @property
    def name(self) -> str:
        """The content in a few words, for the name of the file."""
        if self.axis is not None:
            return f"{self.axis.tensor}-axis{self.axis.axis}"
        if self.taps:
            return f"{self.taps[0].layer}-{self.view}"
        if self.view == "scalars" or self.place is None:
            return self.view
        return self.place.name


def write_picture(path: Path, request: PictureRequest, folder: Path) -> Path:
    """Write a picture to a new SVG file in `folder`, and return its path.

    Raises InspectError if Graphviz is missing, the picture is empty or the file cannot be written.
    """
    with Run.open(path) as run:
        text = _drawn(run, request)
    return _write(folder, f"{path.stem}-{request.name}", ".svg", text)


def write_report(path: Path, other: Path | None, folder: Path) -> Path:
    """Write the report of one run or two to a new file in `folder`. Raises InspectError."""
    from resnet_inspect import api

    with ExitStack() as opened:
        run = opened.enter_context(Run.open(path))
        second = None if other is None else opened.enter_context(Run.open(other))
        text = api.report(run, second)
    name = path.stem if other is None else f"{path.stem}-{other.stem}"
    return _write(folder, name, ".html", text)


def _drawn(run: Run, request: PictureRequest) -> str:
    from resnet_inspect import api

    if request.view == "scalars":
        from resnet_inspect.render.plots.line_chart_svg import line_charts_svg

        return line_charts_svg(
            f"Scalars of {run.info.network}", list(shown_scalars(scalars_of(run)).items())
        )
    if request.taps:
        from resnet_inspect.render.plots.distribution_pages import distributions_svg

        group = tuple(api.series(run, tap) for tap in request.taps)
        return distributions_svg([group], heat=request.view == "heat map", scale=request.scale)
    return _diagram(run, request)


def scalars_of(run: Run, after: int = -1) -> dict[str, dict[int, float]]:
    """Return all scalars of the steps after `after`: loss first, gradient norm last."""
    scalars = run.scalars(after)
    first = ("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate")
    names = [name for name in first if name in scalars]
    names += [name for name in scalars if name not in names]
    norms = run.gradient_norms(after)
    ordered = {name: scalars[name] for name in names}
    return ordered | ({"gradient norm": norms} if norms else {})


def _diagram(run: Run, request: PictureRequest) -> str:
    from resnet_inspect.analysis.diagram.diagram import Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.analysis.sizes.why import why
    from resnet_inspect.render.diagram.look import DiagramStyle
    from resnet_inspect.render.diagram.picture import picture_of
    from resnet_inspect.stored import measured_graph

    graph, lineage, info = run.graph, run.lineage, run.info
    explanations = []
    if request.axis is not None:
        target, axes = find(graph, f"{request.axis.tensor}:{request.axis.axis}")
        explanations = [why(graph, lineage, target, axis) for axis in axes]
    options = Options(scope=_scope(graph, request.place))
    shown = measured_graph(run)
    diagram = draw(shown, lineage, options, explanations=explanations, failure=info.failure)
    return picture_of(diagram, DiagramStyle(title=info.network)).text


def _scope(graph: Graph, place: Place | None) -> str:
    """Return the scope of a diagram: the layer of an op, the layer that reads a variable."""
    if place is None:
        return ""
    if place.kind == "variable":
        readers = graph.variable_by_name[place.name].readers
        owners = [graph.layer_of_op[op].name for op in readers if op in graph.layer_of_op]
        return owners[0] if owners else ""
    if place.kind == "op" and place.name in graph.layer_of_op:
        return graph.layer_of_op[place.name].name
    return place.name


def _write(folder: Path, name: str, suffix: str, text: str) -> Path:
    """Write a new file. A number is added to the name if the file exists."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:MAX_NAME_LENGTH] or "picture"
    for number in range(1, 1000):
        file = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        try:
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            file.unlink(missing_ok=True)
            raise OutputError(
                "the file cannot be written",
                where=str(file),
                got=error.strerror or str(error),
                fix="start browse in a writable folder",
            ) from error
        return file
    raise OutputError(
        "too many files have this name", where=str(folder / (stem + suffix)),
        fix="move or delete some of them",
    )  # fmt: skip
