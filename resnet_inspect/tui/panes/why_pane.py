"""Why an axis has its size: formula, proof, couplings, and the way back, which can be walked."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import ChainStep, Explanation, Ways, not_known, why
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.why_page import how_made, origin_lines
from resnet_inspect.tui.panes.difference_lines import linked
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.run.two_runs import Selected, TwoRuns
from resnet_inspect.tui.widgets.controls import ChoiceBar
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import pair, sentence, title


class WhyList(LineList):
    """The lines of an explanation."""

    HELP = """\
**Why.** What the size was written as, which settings move it (the network was traced again with
each changed), what it must agree with, and the way back to where it was born. `enter` goes to an op
of the way; `x` takes the next axis.
"""


class WhyPane(Pane):
    """The explanation of one axis of what is selected."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.target: Target | None = None
        self.axis = 0
        self._side = self.runs[0]
        self._other: tuple[Selected, Target] | None = None  # the same in B
        self._ways: dict[str, Ways] = {}
        self._known: object = None
        self._width = 0
        self._names: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """The axes, and the explanation of one."""
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

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Explain an axis of a place: the one asked for, else the last one."""
        sides = self.sides(place)
        if axis is not None and self.comparison is not None:
            sides = [
                side for side in self.runs if self.comparison.axis_of(side, axis) is not None
            ] or sides
        targets = [(side, self._target(side, axis)) for side in sides]
        self._side, target = targets[0]
        if target == self.target and self._known is self.known and target and axis is None:
            return
        self.target, self._known = target, self.known
        self._other = next(((side, other) for side, other in targets[1:] if other), None)
        shape = target.shape if target is not None else ()
        if axis is not None and axis.axis < len(shape):
            self.axis = axis.axis
        else:
            self.axis = max(0, len(shape) - 1)
        self._names = {f"{at}: {spelling.size_text(size)}": at for at, size in enumerate(shape)}
        names = list(self._names)
        self.axes.display = bool(names)
        self.axes.offer(names, names[self.axis] if names else "")
        self._fill()

    @property
    def asked(self) -> AxisOf | None:
        """The axis that is explained."""
        if self.target is None or not self.target.shape:
            return None
        axis = AxisOf(self.target.name, self.axis)
        if self._side.sign != "B" or self.comparison is None:
            return axis
        here = self.comparison.linked(axis)
        return here if isinstance(here, AxisOf) else None

    def _target(self, side: Selected, axis: AxisOf | None) -> Target | None:
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
        """Explain another axis."""
        event.stop()
        self.axis = self._names[event.word]
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew where the width is another."""
        if event.size.width != self._width:
            self._fill()

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def _fill(self) -> None:
        self._width = self.size.width or self._width  # 0 while another pane is shown
        width = max(20, self._width - 2)
        self.lines.show(list(self._lines(width)))

    def _lines(self, width: int) -> Iterator[Line]:
        target, two = self.target, self.comparison
        if target is None:
            yield from sentence("Select a layer, an op or a variable: its axes are explained "
                                "here.", width, "dim")  # fmt: skip
            return
        if not target.shape:
            yield from sentence(f"{target.name} is a scalar: it has no axes.", width)
            return
        lines = list(self._why(self._side, target, width))
        if two is None:
            yield from lines
            return
        unlike = ""
        if self._other is not None and self.axis < len(self._other[1].shape):
            there = self._other[1].shape[self.axis]
            if there != target.shape[self.axis]:
                unlike = f" (in B it is {spelling.size_text(there)}, told below)"
        yield from sentence(f"In {self._side.sign}{unlike}:", width, "dim")
        yield from linked(two, lines) if self._side.sign == "B" else lines
        if self._other is None:
            return
        side, other = self._other
        if self.axis >= len(other.shape):
            yield from title(f"In B it has no axis {self.axis}", width)
            return
        told = list(self._why(side, other, width))
        same = [line.text.plain for line in told] == [line.text.plain for line in lines]
        yield from title("In B: the same" if same else "In B:", width)
        if not same:
            yield from linked(two, told)

    def _why(self, side: Selected, target: Target, width: int) -> Iterator[Line]:
        graph, lineage = side.recording.graph, side.recording.lineage
        if reason := not_known(graph, lineage):
            yield from sentence(f"Where sizes come from is not known: {reason}", width)
            return
        ways = self._ways.setdefault(side.sign, Ways())
        yield from why_lines(why(graph, lineage, target, self.axis, ways), graph, width)


def _of_variable(graph: Graph, name: str) -> Target:
    return Target(name, graph.variable_by_name[name].spec.shape or (), "", 0, True)


def why_lines(found: Explanation, graph: Graph, width: int) -> Iterator[Line]:
    """An explanation; lines of ops and variables lead to them."""
    size = spelling.size_text(found.size)
    yield from sentence(f"{found.tensor} axis {found.axis} = {size}", width, "bold")
    for label, text in origin_lines(found):
        yield from pair(label, text, width)
    if found.proof:
        yield from title("Which settings move it", width)
        for row in found.proof:
            after = "?" if row.moved is None else spelling.size_text(row.size_after)
            said = {None: "unknown", True: "moves it", False: "does not"}[row.moved]
            change = f"{row.before} → {row.after}"
            sizes = f"{spelling.size_text(row.size_before)} → {after}"
            note = f"; {row.note}" if row.note else ""
            yield from pair(
                row.setting.removeprefix("image "), f"{change}: {sizes}, {said}{note}", width
            )
    ways = [("The way back", found.chain)]
    if found.inflow:
        ways = [("What flows in", found.inflow), *ways]
    for name, steps in ways:
        if len(steps) > 1:
            yield from title(f"{name}, {len(steps) - 1} steps", width)
            yield from _way(steps, graph, width)


def _way(steps: tuple[ChainStep, ...], graph: Graph, width: int) -> Iterator[Line]:
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        how = "begins here" if last else how_made(step, steps[at + 1])
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
