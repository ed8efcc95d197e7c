"""Scalars over the steps: loss, accuracy, learning rate, norm of the gradient."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size

from resnet_inspect.render import spelling
from resnet_inspect.render.line_chart import line_chart
from resnet_inspect.tui.documents import scalars_of
from resnet_inspect.tui.line_list import Line, LineList
from resnet_inspect.tui.pane import Pane
from resnet_inspect.tui.places import AxisOf, Place
from resnet_inspect.tui.recording import Recording

LEAST_HEIGHT, MOST_HEIGHT = 3, 8
LEAST_WIDTH = 46


class ScalarsList(LineList):
    """The lines of the charts."""

    SELECTS = False
    HELP = """\
**Scalars.** What each step came to. The norm of the gradient is that of all trainable variables
together, at the recorded steps.
"""


class ScalarsPane(Pane):
    """A chart of each scalar."""

    def __init__(self, recording: Recording, *, id: str | None = None) -> None:
        super().__init__(recording, id=id)
        self._read: dict[str, dict[int, float]] = {}
        self._shown: tuple[Size, int] | None = None

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
        size, count = self.lines.size, len(self.recording.state.steps)
        if size.width and self._shown != (size, count):
            self._shown = size, count
            self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw anew."""
        del event
        self.look_at(None, None)

    def values(self) -> dict[str, dict[int, float]]:
        """All scalars, the usual ones first; what was read before is not read again."""
        last = max((step for one in self._read.values() for step in one), default=-1)
        for name, values in scalars_of(self.recording.run, after=last).items():
            self._read.setdefault(name, {}).update(values)
        return self._read

    def copied(self) -> str:
        """The numbers, a line a step, separated by tabs."""
        values = self.values()
        steps = sorted({step for one in values.values() for step in one})
        rows = ["\t".join(["step", *values])]
        for step in steps:
            rows.append(
                "\t".join([str(step), *(str(one.get(step, "")) for one in values.values())])
            )
        return "\n".join(rows)

    def draw(self) -> None:
        """Draw the charts, two beside each other where there is room."""
        width, values = max(20, self.lines.size.width - 1), self.values()
        if not values:
            self.lines.show([Line(Text("No step was run.", "dim"))])
            return
        columns = 2 if width >= 2 * LEAST_WIDTH + 2 else 1
        room = (width - 2 * (columns - 1)) // columns
        rows = -(-len(values) // columns)
        height = max(LEAST_HEIGHT, min(MOST_HEIGHT, self.lines.size.height // rows - 3))
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


def _chart(name: str, values: Mapping[int, float], width: int, height: int) -> list[Text]:
    steps = sorted(values)
    told = f"{spelling.number(values[steps[0]])} → {spelling.number(values[steps[-1]])}"
    head = Text(name.replace("_", " "), "bold").append(f"  {told}", "none")
    return [head, *line_chart(values, width, height)]
