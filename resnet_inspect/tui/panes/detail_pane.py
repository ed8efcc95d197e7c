"""The detail of what is selected: shapes, edges, variables, source lines."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.panes.detail_lines import detail_lines, scope_lines, variable_lines
from resnet_inspect.tui.panes.difference_lines import linked, place_lines
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence


class DetailList(LineList):
    """The lines of a detail."""

    HELP = """\
**Detail.** Lines with an arrow lead somewhere: `enter` follows them, `backspace` comes back. On an
axis `w` (or `enter`) tells why it has its size.
"""


class DetailPane(Pane):
    """All that is known of a layer, op, variable or scope."""

    place: Place | None = None
    _known: object = None

    def compose(self) -> ComposeResult:
        """A list of lines."""
        yield DetailList(id="detail-lines")

    @property
    def lines(self) -> DetailList:
        """The list."""
        return self.query_one(DetailList)

    @property
    def axis(self) -> AxisOf | None:
        """The axis of the cursor's line, if it is one."""
        lines = self.lines
        link = lines.link_of(lines.cursor) if lines.count else None
        return link if isinstance(link, AxisOf) else None

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place from its first line; the same place stays where it is."""
        del axis
        if place != self.place or self._known is not self.known:
            cursor = self.lines.cursor if place == self.place else 0
            self.place, self._known = place, self.known
            self._fill(cursor)

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
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
        lines = _own_lines(side.recording, side.place, width)
        if two is None:
            return lines
        if side.sign == "B":
            lines = linked(two, lines)
        return [*place_lines(two, place, width), Line(Text("")),
                *sentence(f"In {side.sign}:", width, "dim"), *lines]  # fmt: skip


def _own_lines(recording: OpenedRun, place: Place, width: int) -> list[Line]:
    """What one run tells of a place."""
    graph, details = recording.graph, recording.details
    if place.kind == "layer":
        return detail_lines(details.layer(place.name), graph, width)
    if place.kind == "op":
        return detail_lines(details.op(place.name), graph, width)
    if place.kind == "variable":
        held = details.held(graph.variable_by_name[place.name])
        return variable_lines(held, graph, width)
    return scope_lines(details.scope(place.name, place.leaves), graph, width)
