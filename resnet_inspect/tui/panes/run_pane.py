"""The run as a whole: the answer page that `trace` prints, failures and what was not observed."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.worker import get_current_worker

from resnet_inspect.errors import InspectError
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import Selected, TwoRuns
from resnet_inspect.tui.widgets.line_list import Line, LineList

Wanted = tuple[int, tuple[State, ...]]


class RunList(LineList):
    """The lines of the page."""

    SELECTS = False
    HELP = """\
**Run.** What `trace` prints: how the run ended and why, shapes, blocks, what was not observed.
"""


class RunPane(Pane):
    """The answer page."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self._wanted: Wanted | None = None
        self.filled = False

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
        wanted = self.size.width, tuple(side.recording.state for side in self.runs)
        if self.size.width and self._wanted != wanted:
            self._wanted = wanted
            if not self.filled:
                self.lines.show([Line(Text("drawing the run together ...", "dim"))])
            self._make(wanted)

    def on_resize(self, event: events.Resize) -> None:
        """Make the page anew."""
        del event
        self.look_at(None, None)

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    @work(thread=True, group="page", exclusive=True, exit_on_error=False)
    def _make(self, wanted: Wanted) -> None:
        """Make the page in a thread: of a large graph that takes a second."""
        try:
            lines = _pages(self.runs, *wanted)
        except InspectError as error:
            lines = str(error).splitlines()
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._fill, lines)

    def _fill(self, lines: list[str]) -> None:
        self.filled = True
        self.lines.renew([Line(Text(line)) for line in lines])


def _pages(runs: Sequence[Selected], width: int, states: Sequence[State]) -> list[str]:
    """The pages of the runs, below one another."""
    lines: list[str] = []
    for side, state in zip(runs, states, strict=True):
        if side.sign:
            lines += [""] if lines else []
            lines += [f"── {side.sign} ".ljust(max(40, width - 2), "─"), ""]
        lines += _page(side.recording, width, state)
    return lines


def _page(recording: OpenedRun, width: int, state: State) -> list[str]:
    """The lines that `trace` would print in a terminal of about that width."""
    from resnet_inspect.render.pages.answer_page import answer_page
    from resnet_inspect.render.screen import Screen

    page = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    screen = Screen(page, width=max(40, width - 2))
    answer_page(screen, state.info, recording.overview(state), recording.path)
    page.seek(0)
    return page.read().splitlines()
