"""The detail of what is selected: shapes, edges, variables, source lines."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.detail_lines import detail_lines, scope_lines, variable_lines
from resnet_inspect.tui.line_list import Line, LineList
from resnet_inspect.tui.pane import Pane
from resnet_inspect.tui.places import AxisOf, Place
from resnet_inspect.tui.recording import Recording
from resnet_inspect.tui.texts import sentence


class DetailList(LineList):
    """The lines of a detail."""

    HELP = """\
**Detail.** Lines with an arrow lead somewhere: `enter` follows them, `backspace` comes back. On an
axis `w` (or `enter`) tells why it has its size.
"""


class DetailPane(Pane):
    """All that is known of a layer, op, variable or scope."""

    def __init__(self, recording: Recording, *, id: str | None = None) -> None:
        super().__init__(recording, id=id)
        self.place: Place | None = None

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
        if place != self.place:
            self.place = place
            self._fill(0)

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        del event
        self._fill(self.lines.cursor)

    def _fill(self, cursor: int) -> None:
        width = max(20, self.size.width - 2)
        self.lines.show(self._lines(width), cursor=cursor)

    def _lines(self, width: int) -> list[Line]:
        place, graph, details = self.place, self.recording.graph, self.recording.details
        if place is None:
            return list(sentence("Nothing is selected.", width, "dim"))
        if place.kind == "layer":
            return detail_lines(details.layer(place.name), graph, width)
        if place.kind == "op":
            return detail_lines(details.op(place.name), graph, width)
        if place.kind == "variable":
            held = details.held(graph.variable_by_name[place.name])
            return variable_lines(held, graph, width)
        return scope_lines(details.scope(place.name, place.leaves), graph, width)
