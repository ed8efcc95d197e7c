"""The Run pane: the answer page that `trace` prints."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.worker import get_current_worker

from resnet_inspect.errors import InspectError
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import PictureRequest
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import RunPlace, TwoRuns
from resnet_inspect.tui.widgets.line_list import Line, LineList

PageKey = tuple[int, tuple[State, ...]]


class RunList(LineList):
    """The lines of the answer page."""

    SELECTS = False
    HELP = """\
**Run.** The page that `trace` prints: status, failure, shapes, blocks, and what was not recorded.
"""


class RunPane(Pane):
    """Shows the answer page."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self._page_key: PageKey | None = None
        self.filled = False

    def compose(self) -> ComposeResult:
        """Create the list."""
        yield RunList(id="run-lines")

    @property
    def lines(self) -> RunList:
        """The page."""
        return self.query_one(RunList)

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the page. Build it again if the run has new steps."""
        del place, axis
        key = self.size.width, tuple(side.recording.state for side in self.runs)
        if self.size.width and self._page_key != key:
            self._page_key = key
            if not self.filled:
                self.lines.show([Line(Text("building the page ...", "dim"))])
            self._build(key)

    def on_resize(self, event: events.Resize) -> None:
        """Build the page for the new width."""
        del event
        self.show_place(None, None)

    def text_to_copy(self) -> str:
        """Return all lines."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def picture_request(self, place: Place | None) -> PictureRequest | None:
        """Return the whole network."""
        del place
        return super().picture_request(None)

    @work(thread=True, group="page", exclusive=True, exit_on_error=False)
    def _build(self, key: PageKey) -> None:
        """Build the page in a thread, because a large graph takes a second."""
        try:
            lines = _pages(self.runs, *key)
        except InspectError as error:
            lines = str(error).splitlines()
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._fill, lines)

    def _fill(self, lines: list[str]) -> None:
        self.filled = True
        self.lines.update_lines([Line(Text(line)) for line in lines])


def _pages(runs: Sequence[RunPlace], width: int, states: Sequence[State]) -> list[str]:
    """Return the pages of the runs, one below the other."""
    lines: list[str] = []
    for side, state in zip(runs, states, strict=True):
        if side.sign:
            lines += [""] if lines else []
            lines += [f"── {side.sign} ".ljust(max(40, width - 2), "─"), ""]
        lines += _page(side.recording, width, state)
    return lines


def _page(recording: OpenedRun, width: int, state: State) -> list[str]:
    """Return the lines that `trace` prints in a terminal of this width."""
    from resnet_inspect.render.pages.answer_page import answer_page
    from resnet_inspect.render.screen import Screen

    page = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    screen = Screen(page, width=max(40, width - 2))
    answer_page(screen, state.info, recording.overview(state), recording.path)
    page.seek(0)
    return page.read().splitlines()
