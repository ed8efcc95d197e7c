"""Scalars over the steps: loss, accuracy, learning rate, norm of the gradient."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size

from resnet_inspect.render import spelling
from resnet_inspect.render.plots.line_chart import line_chart, pair_chart, style_of
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import scalars_of
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import SIGNS, TwoRuns
from resnet_inspect.tui.widgets.line_list import Line, LineList

Courses = Mapping[str, Mapping[int, float]]
LEAST_HEIGHT, MOST_HEIGHT = 3, 8
LEAST_OF_TWO = 5  # two curves take more to be told apart
LEAST_WIDTH = 46


class ScalarsList(LineList):
    """The lines of the charts."""

    SELECTS = False
    HELP = """\
**Scalars.** What each step came to. The norm of the gradient is that of all trainable variables
together, at the recorded steps. Two runs are drawn on the same axes, each with its letter at its
end; where both run they have neither colour.
"""


class ScalarsPane(Pane):
    """A chart of each scalar."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self._read: dict[str, dict[str, dict[int, float]]] = {}
        self._shown: tuple[Size, tuple[int, ...]] | None = None

    def compose(self) -> ComposeResult:
        """A list of lines."""
        yield ScalarsList(id="scalars-lines")

    @property
    def lines(self) -> ScalarsList:
        """The charts."""
        return self.query_one(ScalarsList)

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Draw the scalars if the run has gone on; they are the same whatever is selected."""
        del place, axis
        size = self.lines.size
        counts = tuple(len(side.recording.state.steps) for side in self.runs)
        if size.width and self._shown != (size, counts):
            self._shown = size, counts
            self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw anew."""
        del event
        self.look_at(None, None)

    def values(self) -> dict[str, dict[str, dict[int, float]]]:
        """For each run by its sign all scalars, the usual ones first; what was read before is not
        read again.
        """
        for side in self.runs:
            known = self._read.setdefault(side.sign, {})
            last = max((step for one in known.values() for step in one), default=-1)
            for name, values in scalars_of(side.recording.run, after=last).items():
                known.setdefault(name, {}).update(values)
        return self._read

    def courses(self) -> dict[str, dict[str, dict[int, float]]]:
        """For each scalar its course in each run that has it, by the run's sign."""
        found: dict[str, dict[str, dict[int, float]]] = {}
        for sign, values in self.values().items():
            for name, course in values.items():
                found.setdefault(name, {})[sign] = course
        return found

    def copied(self) -> str:
        """The numbers, a line a step, separated by tabs."""
        values = {
            f"{name} {sign}".rstrip(): course
            for name, courses in self.courses().items()
            for sign, course in courses.items()
        }
        steps = sorted({step for one in values.values() for step in one})
        rows = ["\t".join(["step", *values])]
        for step in steps:
            rows.append(
                "\t".join([str(step), *(str(one.get(step, "")) for one in values.values())])
            )
        return "\n".join(rows)

    def draw(self) -> None:
        """Draw the charts, two beside each other where there is room."""
        width, values = max(20, self.lines.size.width - 1), self.courses()
        if not values:
            self.lines.show([Line(Text("No step was run.", "dim"))])
            return
        columns = 2 if width >= 2 * LEAST_WIDTH + 2 else 1
        room = (width - 2 * (columns - 1)) // columns
        rows = -(-len(values) // columns)
        least = LEAST_HEIGHT if self.comparison is None else LEAST_OF_TWO
        height = max(least, min(MOST_HEIGHT, self.lines.size.height // rows - 3))
        charts = [_chart(name, one, room, height) for name, one in values.items()]
        lines: list[Line] = []
        for at in range(0, len(charts), columns):
            group = charts[at : at + columns]
            for row in range(max(len(chart) for chart in group)):
                made = Text()
                for chart in group:
                    cell = chart[row].copy() if row < len(chart) else Text("")
                    cell.truncate(room, pad=True)
                    made.append_text(cell).append("  ")
                made.rstrip()
                lines.append(Line(made))
            lines.append(Line(Text("")))
        self.lines.renew(lines)


def _chart(name: str, courses: Courses, width: int, height: int) -> list[Text]:
    head = Text(name.replace("_", " "), "bold")
    for sign, values in courses.items():
        steps = sorted(values)
        told = f"{spelling.number(values[steps[0]])} → {spelling.number(values[steps[-1]])}"
        if sign:
            head.append(f"  {sign}", f"bold {style_of(sign, SIGNS)}")
        head.append(f" {told}" if sign else f"  {told}", "none")
    if "" in courses:
        return [head, *line_chart(courses[""], width, height)]
    return [head, *pair_chart({sign: courses.get(sign, {}) for sign in SIGNS}, width, height)]
