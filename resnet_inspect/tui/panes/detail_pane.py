"""The Detail pane: shapes, inputs, variables and source lines of the selection."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.panes.detail_lines import detail_lines, scope_lines, variable_lines
from resnet_inspect.tui.panes.difference_lines import place_lines, with_tree_links
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence


class DetailList(LineList):
    """The lines of the Detail pane."""

    HELP = """\
**Detail.** Shapes, inputs, variables and source lines of the selection. A line with an arrow is a
link: `enter` follows it, `backspace` returns. On an axis, `w` or `enter` explains its size.
"""


class DetailPane(Pane):
    """Describes a layer, op, variable or scope."""

    place: Place | None = None
    _shown_result: object = None

    def compose(self) -> ComposeResult:
        """Create the list."""
        yield DetailList(id="detail-lines")

    @property
    def lines(self) -> DetailList:
        """The list."""
        return self.query_one(DetailList)

    @property
    def axis(self) -> AxisOf | None:
        """The axis at the cursor, None on another line."""
        lines = self.lines
        link = lines.link_of(lines.cursor) if lines.count else None
        return link if isinstance(link, AxisOf) else None

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place. Keep the cursor if the place is the same."""
        del axis
        if place != self.place or self._shown_result is not self.comparison_result:
            cursor = self.lines.cursor if place == self.place else 0
            self.place, self._shown_result = place, self.comparison_result
            self._fill(cursor)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines again."""
        del event
        self._fill(self.lines.cursor)

    def _fill(self, cursor: int) -> None:
        width = max(20, self.size.width - 2)
        self.lines.show(self._lines(width), cursor=cursor)

    def _lines(self, width: int) -> list[Line]:
        place, two = self.place, self.comparison
        if place is None:
            return list(sentence("Nothing is selected.", width, "dim"))
        side = self.sides(place)[0]
        assert side.place is not None
        lines = _lines_of(side.recording, side.place, width)
        if two is None:
            return lines
        if side.sign == "B":
            lines = with_tree_links(two, lines)
        return [*place_lines(two, place, width), Line(Text("")),
                *sentence(f"In {side.sign}:", width, "dim"), *lines]  # fmt: skip


def _lines_of(recording: OpenedRun, place: Place, width: int) -> list[Line]:
    """Describe a place of one run."""
    graph, details = recording.graph, recording.details
    if place.kind == "layer":
        return detail_lines(details.layer(place.name), graph, width)
    if place.kind == "op":
        return detail_lines(details.op(place.name), graph, width)
    if place.kind == "variable":
        variable = details.variable_use(graph.variable_by_name[place.name])
        return variable_lines(variable, graph, width)
    return scope_lines(details.scope(place.name, place.leaves), graph, width)
