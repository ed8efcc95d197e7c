"""The run as a whole: the answer page that `trace` prints, failures and what was not observed."""

from __future__ import annotations

import io

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.line_list import Line, LineList
from resnet_inspect.tui.pane import Pane
from resnet_inspect.tui.places import AxisOf, Place


class RunList(LineList):
    """The lines of the page."""

    SELECTS = False
    HELP = """\
**Run.** What `trace` prints: how the run ended and why, shapes, blocks, what was not observed.
"""


class RunPane(Pane):
    """The answer page."""

    _shown: tuple[int, object] | None = None

    def compose(self) -> ComposeResult:
        """A list of lines."""
        yield RunList(id="run-lines")

    @property
    def lines(self) -> RunList:
        """The page."""
        return self.query_one(RunList)

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the page, made again where the run has gone on."""
        del place, axis
        if self.size.width and self._shown != (self.size.width, self.recording.state):
            self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Make the page anew."""
        del event
        self.look_at(None, None)

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def draw(self) -> None:
        """Make the page."""
        from resnet_inspect.render import spelling
        from resnet_inspect.render.answer_page import answer_page
        from resnet_inspect.render.screen import Screen

        self._shown = self.size.width, self.recording.state
        page = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        screen = Screen(page, width=max(40, self.size.width - 2))
        recording = self.recording
        name = spelling.path(recording.path)
        answer_page(screen, recording.state.info, recording.overview, name)
        page.seek(0)
        self.lines.renew([Line(Text(line)) for line in page.read().splitlines()])
