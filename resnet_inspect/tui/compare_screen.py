"""The screen that compares two runs: the screen of run A, with the differences to B."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
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
from resnet_inspect.tui.panes.distribution_pane import DistributionPane
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import PictureRequest
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.two_runs import ComparisonResult, TwoRuns
from resnet_inspect.tui.widgets.header import RunHeader


class CompareScreen(BrowseScreen):
    """Shows runs A and B. They are compared once, in a thread; `ctrl+r` compares them again."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS_OF_TWO
    FIRST_KEYS = ("differences", "next-difference")  # first in the key line

    def __init__(self, two: TwoRuns) -> None:
        super().__init__(two.a, two)
        self.two = two

    def _headers(self) -> Iterator[Widget]:
        yield RunHeader(self.two.a, "A", id="head")
        yield RunHeader(self.two.b, "B", id="head-b")

    def _panes(self) -> dict[str, Pane]:
        return super()._panes() | {"Differences": DifferencesPane(self.recording, self.two)}

    def _first_tab(self) -> str:
        return "differences"

    def on_mount(self) -> None:
        """Compare the runs after the first drawing of the screen."""
        self.call_after_refresh(self._compare)

    @work(thread=True, group="page", exit_on_error=False)
    def _compare(self) -> None:
        result: ComparisonResult | InspectError
        try:
            result = self.two.compare()
        except InspectError as error:
            result = error
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._show_result, result)

    def _show_result(self, result: ComparisonResult | InspectError) -> None:
        """Mark the differences in the tree and update the visible pane."""
        if isinstance(result, InspectError):
            self.query_one(DifferencesPane).fail(str(result))
            return
        self.two.result = result
        self.network.compare(self.two)
        self._mark(result.findings)
        self.place = self.network.place
        self._update_status()
        self.update_pane()

    def _mark(self, findings: Sequence[Finding]) -> None:
        """Mark the findings of both runs, or those of A until the runs are compared."""
        two = self.two
        super()._mark(findings if two.result is None else two.findings_in_tree())

    def action_difference(self, direction: int) -> None:
        """Go to the next layer that differs, or with -1 to the previous one."""
        result = self.two.result
        if result is None:
            self.browser.show_message("the runs are still being compared")
        elif not result.differing:
            self.browser.show_message("no layer differs")
        elif not self.network.next_difference(result.differing, direction):
            self.browser.show_message(f"layers that differ are hidden: {self.network.hiding}")

    def _in_one_run(self, request: PictureRequest) -> tuple[Path, PictureRequest]:
        """Return the file of run A, or of run B for places that only B has, and its request."""
        sides = {side.sign: side for side in self.two.sides(self.place)}
        tensors = self.query_one(DistributionPane).tensors if request.taps else ()
        side = sides[tensors[0].sign if tensors else min(sides)]
        self.browser.show_message(f"drawing the picture of run {side.sign} ...")
        axis = self.two.axis_of(side, request.axis)
        place = side.place if request.place is not None else None
        return side.recording.path, replace(request, place=place, axis=axis)

    def action_reload(self) -> None:
        """Reopen both run files and compare them again."""
        try:
            a = OpenedRun(self.two.a.path)
            b = OpenedRun(self.two.b.path)
        except InspectError as error:
            self.browser.show_message(str(error), severity="error")
            return
        self.app.switch_screen(CompareScreen(TwoRuns(a, b)))

    def on_unmount(self) -> None:
        """Close the second run file, too."""
        self.two.b.close()

    def poll(self) -> None:
        """Read new steps of both runs. The comparison is not repeated."""
        super().poll()
        before = self.two.b.state
        if self.two.b.poll() is before:
            return
        self.query_one("#head-b", RunHeader).show()
        if self.two.b.state.steps != before.steps:
            self.network.refresh()
            self.update_pane()
