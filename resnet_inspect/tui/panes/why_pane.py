"""The Why pane: why an axis has its size, with links along the path to the origin."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.analysis.sizes.measured import measured_explanation
from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.why import Explanation, ExplanationCache, missing_reason, why
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.why_page import how_ends, how_made, origin_lines
from resnet_inspect.tui.panes.difference_lines import with_tree_links
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import PictureRequest
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.run.two_runs import RunPlace, TwoRuns
from resnet_inspect.tui.widgets.controls import ChoiceBar
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import pair, sentence, title


class WhyList(LineList):
    """The lines of the Why pane."""

    HELP = """\
**Why.** Explains the size of an axis: the expression in the source, the settings that change it,
the sizes that must agree with it, and the ops on the path to its origin. To find the settings, the
network was re-traced with each setting changed. `enter` goes to an op of the path. `x` explains the
next axis.
"""


class WhyPane(Pane):
    """Explains one axis of the selection."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.target: Target | None = None
        self.axis = 0
        self._side = self.runs[0]
        self._target_in_b: tuple[RunPlace, Target] | None = None  # of the same place in run B
        self._caches: dict[str, ExplanationCache] = {}
        self._shown_result: object = None
        self._width = 0
        self._axis_by_label: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Create the choice of axes and the list below it."""
        yield ChoiceBar("axis", (), id="axes")
        yield WhyList(id="why-lines")

    @property
    def lines(self) -> WhyList:
        """The list."""
        return self.query_one(WhyList)

    @property
    def axes(self) -> ChoiceBar:
        """The axes to choose from."""
        return self.query_one("#axes", ChoiceBar)

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Explain the given axis, else the last axis of the place."""
        sides = self.sides(place)
        if axis is not None and self.comparison is not None:
            sides = [
                side for side in self.runs if self.comparison.axis_of(side, axis) is not None
            ] or sides
        targets = [(side, self._target(side, axis)) for side in sides]
        self._side, target = targets[0]
        same = target == self.target and self._shown_result is self.comparison_result
        if same and target and axis is None:
            return
        self.target, self._shown_result = target, self.comparison_result
        self._target_in_b = next(((side, other) for side, other in targets[1:] if other), None)
        shape = target.shape if target is not None else ()
        if axis is not None and axis.axis < len(shape):
            self.axis = axis.axis
        else:
            self.axis = max(0, len(shape) - 1)
        sizes = shape
        if target is not None and target.op:
            ref = TensorRef(target.op, target.index)
            sizes = self._side.recording.measured.spec(ref).shape or ()
        labels = [f"{at}: {spelling.size_text(size)}" for at, size in enumerate(sizes)]
        self._axis_by_label = {label: at for at, label in enumerate(labels)}
        self.axes.display = bool(labels)
        self.axes.set_options(labels, labels[self.axis] if labels else "")
        self._fill()

    @property
    def shown_axis(self) -> AxisOf | None:
        """The explained axis."""
        if self.target is None or not self.target.shape:
            return None
        axis = AxisOf(self.target.name, self.axis)
        if self._side.sign != "B" or self.comparison is None:
            return axis
        here = self.comparison.link_in_tree(axis)
        return here if isinstance(here, AxisOf) else None

    def _target(self, side: RunPlace, axis: AxisOf | None) -> Target | None:
        graph, place = side.recording.graph, side.place
        if axis is not None and self.comparison is not None:
            axis = self.comparison.axis_of(side, axis)
        if axis is not None:
            if axis.tensor in graph.variable_by_name:
                return _of_variable(graph, axis.tensor)
            op, _, index = axis.tensor.rpartition(":")
            return Target.of(graph, TensorRef(op, int(index)))
        if place is None:
            return None
        if place.kind == "variable":
            return _of_variable(graph, place.name)
        if place.kind == "layer":
            return Target.of(graph, graph.layer_by_name[place.name].output)
        if place.kind == "op" and graph.op_by_name[place.name].outputs:
            return Target.of(graph, TensorRef(place.name))
        return None

    def on_choice_bar_chosen(self, event: ChoiceBar.Chosen) -> None:
        """Explain the chosen axis."""
        event.stop()
        self.axis = self._axis_by_label[event.option]
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines again if the width has changed."""
        if event.size.width != self._width:
            self._fill()

    def text_to_copy(self) -> str:
        """Return all lines."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def picture_request(self, place: Place | None) -> PictureRequest | None:
        """Return the network with the path to the origin of the explained axis."""
        if self.shown_axis is None or not self.recording.graph.ops:
            return super().picture_request(place)
        return PictureRequest("lineage", axis=self.shown_axis)

    def _fill(self) -> None:
        self._width = self.size.width or self._width  # 0 while another pane is shown
        width = max(20, self._width - 2)
        self.lines.show(list(self._lines(width)))

    def _lines(self, width: int) -> Iterator[Line]:
        target, two = self.target, self.comparison
        if target is None:
            yield from sentence("Select a layer, an op or a variable to explain the sizes of its "
                                "axes.", width, "dim")  # fmt: skip
            return
        if not target.shape:
            yield from sentence(f"{target.name} is a scalar: it has no axes.", width)
            return
        lines = list(self._why(self._side, target, width))
        if two is None:
            yield from lines
            return
        other_size = ""
        if self._target_in_b is not None and self.axis < len(self._target_in_b[1].shape):
            there = self._target_in_b[1].shape[self.axis]
            if there != target.shape[self.axis]:
                other_size = f" ({spelling.size_text(there)} in B, see below)"
        yield from sentence(f"In {self._side.sign}{other_size}:", width, "dim")
        yield from with_tree_links(two, lines) if self._side.sign == "B" else lines
        if self._target_in_b is None:
            return
        side, other = self._target_in_b
        if self.axis >= len(other.shape):
            yield from title(f"In B: no axis {self.axis}", width)
            return
        lines_b = list(self._why(side, other, width))
        same = [line.text.plain for line in lines_b] == [line.text.plain for line in lines]
        yield from title("In B: the same" if same else "In B:", width)
        if not same:
            yield from with_tree_links(two, lines_b)

    def _why(self, side: RunPlace, target: Target, width: int) -> Iterator[Line]:
        graph, lineage = side.recording.graph, side.recording.lineage
        if reason := missing_reason(graph, lineage):
            yield from sentence(f"No origins of sizes recorded: {reason}", width)
            return
        cache = self._caches.setdefault(side.sign, ExplanationCache())
        explanation = why(graph, lineage, target, self.axis, cache)
        shown = measured_explanation(explanation, side.recording.measured)
        yield from why_lines(shown, graph, width)


def _of_variable(graph: Graph, name: str) -> Target:
    return Target(name, graph.variable_by_name[name].spec.shape or (), "", 0, True)


def why_lines(explanation: Explanation, graph: Graph, width: int) -> Iterator[Line]:
    """Return the lines of an explanation, with links to ops and variables."""
    size = spelling.size_with_steps(explanation.size)
    yield from sentence(f"{explanation.tensor} axis {explanation.axis} = {size}", width, "bold")
    for label, text in origin_lines(explanation):
        yield from pair(label, text, width)
    if explanation.proof:
        yield from title("Effect of each setting", width)
        for row in explanation.proof:
            after = "?" if row.moved is None else spelling.size_text(row.size_after)
            effect = {None: "unknown", True: "changed", False: "unchanged"}[row.moved]
            change = f"{row.before} → {row.after}"
            sizes = f"{spelling.size_text(row.size_before)} → {after}"
            note = f"; {row.note}" if row.note else ""
            yield from pair(
                row.setting.removeprefix("image "), f"{change}: {sizes}, {effect}{note}", width
            )
    paths = [("Path to the origin", explanation.chain)]
    if explanation.inflow:
        paths = [("Path to the origin of the size it must equal", explanation.inflow), *paths]
    for name, steps in paths:
        if len(steps) > 1:
            count = len(steps) - 1
            yield from title(f"{name} ({count} step{'s' * (count != 1)})", width)
            yield from _path(steps, graph, width)


def _path(steps: tuple[ChainStep, ...], graph: Graph, width: int) -> Iterator[Line]:
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        how = how_ends(step) if last else how_made(step, steps[at + 1])
        yield from pair(
            spelling.size_text(step.size).rjust(8), step.place, width, _link(step, graph)
        )
        if step.rivals:
            how += f"; must equal {', '.join(step.rivals)}"
        for line in pair("", how, width):
            yield Line(Text(line.text.plain, "dim"))


def _link(step: ChainStep, graph: Graph) -> Link | None:
    if step.variable in graph.variable_by_name:
        return Place("variable", step.variable)
    if step.layer and graph.layer_by_name[step.layer].output.op == step.op:
        return Place("layer", step.layer)
    return Place("op", step.op) if step.op in graph.op_by_name else None
