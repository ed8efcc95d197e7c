"""Pictures and pages of what is selected, as files: made in a thread, of a run opened again."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_inspect.errors import OutputError
from resnet_inspect.graph import Graph
from resnet_inspect.render.plots.scale import Kind
from resnet_inspect.stats import Tap
from resnet_inspect.store.run import Run
from resnet_inspect.tui.run.places import AxisOf, Place

MOST_NAME = 60


@dataclass(frozen=True)
class Wanted:
    """What a picture is to show: `view` is that of the pane it was asked for from."""

    view: Literal["network", "lineage", "ridges", "heat map", "scalars"]
    place: Place | None = None
    axis: AxisOf | None = None
    taps: tuple[Tap, ...] = ()
    scale: Kind | None = None

    @property
    def name(self) -> str:
        """A few words for the name of the file."""
        if self.axis is not None:
            return f"{self.axis.tensor}-axis{self.axis.axis}"
        if self.taps:
            return f"{self.taps[0].layer}-{self.view}"
        if self.view == "scalars" or self.place is None:
            return self.view
        return self.place.name


def write_picture(path: Path, wanted: Wanted, folder: Path) -> Path:
    """Draw it as SVG into a new file of `folder`, named after the run and what is shown.

    Raises InspectErrors: no Graphviz, nothing to draw, a folder that cannot be written.
    """
    with Run.open(path) as run:
        text = _drawn(run, wanted)
    return _write(folder, f"{path.stem}-{wanted.name}", ".svg", text)


def write_report(path: Path, other: Path | None, folder: Path) -> Path:
    """Write the page of a run, or of two, into a new file of `folder`; raises InspectErrors."""
    from resnet_inspect import api

    with ExitStack() as opened:
        run = opened.enter_context(Run.open(path))
        second = None if other is None else opened.enter_context(Run.open(other))
        text = api.report(run, second)
    name = path.stem if other is None else f"{path.stem}-{other.stem}"
    return _write(folder, name, ".html", text)


def _drawn(run: Run, wanted: Wanted) -> str:
    from resnet_inspect import api

    if wanted.view == "scalars":
        from resnet_inspect.render.plots.line_chart_svg import line_charts_svg

        return line_charts_svg(f"Scalars of {run.info.network}", list(scalars_of(run).items()))
    if wanted.taps:
        from resnet_inspect.render.plots.distribution_pages import distributions_svg

        group = tuple(api.series(run, tap) for tap in wanted.taps)
        return distributions_svg([group], heat=wanted.view == "heat map", scale=wanted.scale)
    return _diagram(run, wanted)


def scalars_of(run: Run, after: int = -1) -> dict[str, dict[int, float]]:
    """All scalars of the steps after one, the usual ones first, the norm of the gradient last."""
    found = run.scalars(after)
    usual = ("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate")
    names = [name for name in usual if name in found]
    values = {name: found[name] for name in [*names, *(one for one in found if one not in names)]}
    norms = run.gradient_norms(after)
    return values | ({"gradient norm": norms} if norms else {})


def _diagram(run: Run, wanted: Wanted) -> str:
    from resnet_inspect.analysis.diagram.diagram import Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.analysis.sizes.names import find
    from resnet_inspect.analysis.sizes.why import why
    from resnet_inspect.render.diagram.look import Look
    from resnet_inspect.render.diagram.picture import picture_of

    graph, lineage, info = run.graph, run.lineage, run.info
    explanations = []
    if wanted.axis is not None:
        target, axes = find(graph, f"{wanted.axis.tensor}:{wanted.axis.axis}")
        explanations = [why(graph, lineage, target, axis) for axis in axes]
    options = Options(scope=_scope(graph, wanted.place))
    made = draw(graph, lineage, options, explanations=explanations, failure=info.failure)
    return picture_of(made, Look(title=info.network)).text


def _scope(graph: Graph, place: Place | None) -> str:
    """What a diagram is confined to: an op by its layer, a variable by who reads it."""
    if place is None:
        return ""
    if place.kind == "variable":
        readers = graph.variable_by_name[place.name].readers
        owners = [graph.layer_of_op[one].name for one in readers if one in graph.layer_of_op]
        return owners[0] if owners else ""
    if place.kind == "op" and place.name in graph.layer_of_op:
        return graph.layer_of_op[place.name].name
    return place.name


def _write(folder: Path, name: str, suffix: str, text: str) -> Path:
    """Write a new file; what is there already stays."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:MOST_NAME] or "picture"
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
                fix="start browse in a folder that may be written",
            ) from error
        return file
    raise OutputError(
        "there are too many files of that name", where=str(folder / (stem + suffix)),
        fix="move some away",
    )  # fmt: skip
