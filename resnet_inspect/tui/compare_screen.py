"""The screen for two runs: that of A, with what is different in B marked in the tree and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget
from textual.worker import get_current_worker

from resnet_inspect.analysis.check import Finding
from resnet_inspect.errors import InspectError
from resnet_inspect.tui.browse_keys import KEYS_OF_TWO
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.panes.differences_pane import DifferencesPane
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.two_runs import Compared, TwoRuns
from resnet_inspect.tui.widgets.header import RunHeader


class CompareScreen(BrowseScreen):
    """Two runs. They are compared once, in a thread; `ctrl+r` reads and compares them again."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS_OF_TWO
    FIRST_KEYS = ("differences", "next-difference")  # in the last line

    def __init__(self, two: TwoRuns) -> None:
        super().__init__(two.a, two)
        self.two = two

    def _heads(self) -> Iterator[Widget]:
        yield RunHeader(self.two.a, "A", id="head")
        yield RunHeader(self.two.b, "B", id="head-b")

    def _panes(self) -> dict[str, Pane]:
        return super()._panes() | {"Differences": DifferencesPane(self.recording, self.two)}

    def _first_tab(self) -> str:
        return "differences"

    def on_mount(self) -> None:
        """Compare the runs after the first picture."""
        self.call_after_refresh(self._compare)

    @work(thread=True, group="page", exit_on_error=False)
    def _compare(self) -> None:
        found: Compared | InspectError
        try:
            found = self.two.compare()
        except InspectError as error:
            found = error
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._compared, found)

    def _compared(self, found: Compared | InspectError) -> None:
        """Mark the tree, and let the visible pane tell."""
        if isinstance(found, InspectError):
            self.query_one(DifferencesPane).fail(str(found))
            return
        self.two.compared = found
        self.network.compare(self.two)
        self._mark(found.findings)
        self.place = self.network.place
        self._status()
        self.look()

    def _mark(self, findings: Sequence[Finding]) -> None:
        """Those of both runs, once they were compared."""
        two = self.two
        super()._mark(findings if two.compared is None else two.findings_in_tree())

    def action_difference(self, direction: int) -> None:
        """Go to the next layer that differs."""
        compared = self.two.compared
        if compared is None:
            self.browser.tell("the runs are still being compared")
        elif not compared.jumps:
            self.browser.tell("no layer differs")
        elif not self.network.next_difference(compared.jumps, direction):
            self.browser.tell(f"what differs is not in the tree now: {self.network.hiding}")

    def action_reload(self) -> None:
        """Open both files anew."""
        try:
            a = OpenedRun(self.two.a.path)
            b = OpenedRun(self.two.b.path)
        except InspectError as error:
            self.browser.tell(str(error), severity="error")
            return
        self.app.switch_screen(CompareScreen(TwoRuns(a, b)))

    def on_unmount(self) -> None:
        """Let go of the second file, too."""
        self.two.b.close()

    def poll(self) -> None:
        """Look whether the runs have gone on; the comparison stays that of its moment."""
        super().poll()
        before = self.two.b.state
        if self.two.b.poll() is before:
            return
        self.query_one("#head-b", RunHeader).show()
        if self.two.b.state.steps != before.steps:
            self.network.refresh()
            self.look()
