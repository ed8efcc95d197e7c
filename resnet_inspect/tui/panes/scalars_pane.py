"""The Scalars pane: loss, accuracy, learning rate and gradient norm over the steps."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size

from resnet_inspect.analysis.browse.scalars import shown_scalars
from resnet_inspect.render import spelling
from resnet_inspect.render.plots.line_chart import line_chart, pair_chart, style_of
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import PictureRequest, scalars_of
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import SIGNS, TwoRuns
from resnet_inspect.tui.widgets.line_list import Line, LineList

Courses = Mapping[str, Mapping[int, float]]
MIN_HEIGHT, MAX_HEIGHT = 3, 8
MIN_HEIGHT_OF_TWO = 5  # two curves in one chart need more rows
MIN_WIDTH = 46


class ScalarsList(LineList):
    """The lines of the charts."""

    SELECTS = False
    HELP = """\
**Scalars.** The scalars of each step. The gradient norm is over all trainable variables, at the
recorded steps. Two runs share the axes of a chart. A letter at the end of each curve names its run.
Where both curves overlap, they have a third colour.
"""


class ScalarsPane(Pane):
    """Shows a chart of each scalar."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self._read: dict[str, dict[str, dict[int, float]]] = {}
        self._shown: tuple[Size, tuple[int, ...]] | None = None

    def compose(self) -> ComposeResult:
        """Create the list."""
        yield ScalarsList(id="scalars-lines")

    @property
    def lines(self) -> ScalarsList:
        """The charts."""
        return self.query_one(ScalarsList)

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Draw the scalars if there are new steps. They do not depend on the selection."""
        del place, axis
        size = self.lines.size
        counts = tuple(len(side.recording.state.steps) for side in self.runs)
        if size.width and self._shown != (size, counts):
            self._shown = size, counts
            self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        del event
        self.show_place(None, None)

    def values(self) -> dict[str, dict[str, dict[int, float]]]:
        """Return the scalars of each run, by its sign, as values by step. Read only new steps."""
        for side in self.runs:
            known = self._read.setdefault(side.sign, {})
            last = max((step for course in known.values() for step in course), default=-1)
            for name, values in scalars_of(side.recording.run, after=last).items():
                known.setdefault(name, {}).update(values)
        return self._read

    def courses(self) -> dict[str, dict[str, dict[int, float]]]:
        """Return for each scalar its values by step, in each run that has it, by sign."""
        courses: dict[str, dict[str, dict[int, float]]] = {}
        for sign, values in self.values().items():
            for name, course in shown_scalars(values).items():
                courses.setdefault(name, {})[sign] = course
        return courses

    def picture_request(self, place: Place | None) -> PictureRequest | None:
        """Return the curves of the scalars, None without a step."""
        del place
        return PictureRequest("scalars") if self.recording.state.steps else None

    def text_to_copy(self) -> str:
        """Return one line per step, with values separated by tabs."""
        values = {
            f"{name} {sign}".rstrip(): course
            for name, courses in self.courses().items()
            for sign, course in courses.items()
        }
        steps = sorted({step for course in values.values() for step in course})
        rows = ["\t".join(["step", *values])]
        for step in steps:
            cells = [str(course.get(step, "")) for course in values.values()]
            rows.append("\t".join([str(step), *cells]))
        return "\n".join(rows)

    def draw(self) -> None:
        """Draw the charts, in two columns if the pane is wide enough."""
        width, values = max(20, self.lines.size.width - 1), self.courses()
        if not values:
            self.lines.show([Line(Text("No scalars were recorded.", "dim"))])
            return
        columns = 2 if width >= 2 * MIN_WIDTH + 2 else 1
        space = (width - 2 * (columns - 1)) // columns
        rows = -(-len(values) // columns)
        least = MIN_HEIGHT if self.comparison is None else MIN_HEIGHT_OF_TWO
        height = max(least, min(MAX_HEIGHT, self.lines.size.height // rows - 3))
        charts = [_chart(name, courses, space, height) for name, courses in values.items()]
        lines: list[Line] = []
        for at in range(0, len(charts), columns):
            group = charts[at : at + columns]
            for row in range(max(len(chart) for chart in group)):
                line = Text()
                for chart in group:
                    cell = chart[row].copy() if row < len(chart) else Text("")
                    cell.truncate(space, pad=True)
                    line.append_text(cell).append("  ")
                line.rstrip()
                lines.append(Line(line))
            lines.append(Line(Text("")))
        self.lines.update_lines(lines)


def _chart(name: str, courses: Courses, width: int, height: int) -> list[Text]:
    title, ends_of_runs = Text(name.replace("_", " "), "bold"), Text()
    for sign, values in courses.items():
        steps = sorted(values)
        ends = f"{spelling.number(values[steps[0]])} → {spelling.number(values[steps[-1]])}"
        if sign:
            ends_of_runs.append(f"  {sign}", f"bold {style_of(sign, SIGNS)}")
        ends_of_runs.append(f" {ends}" if sign else f"  {ends}", "none")
    head = [title + ends_of_runs]
    if head[0].cell_len > width:
        head = [title, ends_of_runs]
    if "" in courses:
        return [*head, *line_chart(courses[""], width, height)]
    return [*head, *pair_chart({sign: courses.get(sign, {}) for sign in SIGNS}, width, height)]
