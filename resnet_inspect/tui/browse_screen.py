"""The screen for a run: tree on the left, panes on the right, status and keys below.

The module is long because Textual needs the action of each key as a method of the screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TabbedContent, TabPane, Tabs

from resnet_inspect.analysis.browse.outline import Key, OutlineFilter
from resnet_inspect.analysis.check import Finding
from resnet_inspect.errors import InspectError
from resnet_inspect.store.info import Status
from resnet_inspect.tui.browse_keys import KEYS
from resnet_inspect.tui.panes.detail_pane import DetailPane
from resnet_inspect.tui.panes.distribution_pane import DistributionPane
from resnet_inspect.tui.panes.findings_pane import FindingsPane
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.panes.run_pane import RunPane
from resnet_inspect.tui.panes.scalars_pane import ScalarsPane
from resnet_inspect.tui.panes.why_pane import WhyPane
from resnet_inspect.tui.run.documents import PictureRequest, write_picture, write_report
from resnet_inspect.tui.run.file_writer import FileWriter
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.header import RunHeader
from resnet_inspect.tui.widgets.key_line import KeyLine
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree
from resnet_inspect.tui.widgets.status_line import StatusLine

# Panes whose lines are links: their list gets the focus.
PANES_OF_LINKS = ("findings", "differences")
# Panes that do not describe the selected place: following a link opens the Detail pane instead.
PANES_OF_RUN = ("why", "scalars", "run", "findings", "differences")
POLL_INTERVAL = 0.5  # seconds between two readings of the run file
# The panes follow the tree after the cursor has rested for this time, in seconds.
REST_TIME = 0.01
# Actions that are not always available, with the parameters for `check_action`.
CONDITIONAL_ACTIONS: tuple[tuple[str, tuple[object, ...]], ...] = (
    *(("next_option", (name,)) for name in ("view", "tensor", "scale", "sides")),
    *((name, (1,)) for name in ("step", "axis", "hit")),
    ("back", ()),
)


@dataclass(frozen=True)
class Visit:
    """What was shown before a link was followed: place, pane, explained axis and line."""

    place: Place | None
    tab: str
    axis: AxisOf | None
    line: int


class BrowseScreen(Screen[None]):
    """Shows one run; `comparison` is set where two runs are compared."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__()
        # In a narrow window the tabs are closer together.
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
        self.recording = recording
        self.comparison = comparison
        self.place: Place | None = None
        self.history: list[Visit] = []
        self.zoomed = ""
        self._linked_row: tuple[Key | None] | None = None
        self._enabled_actions: tuple[object, ...] = ()
        self._rest_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Create header, tree, panes, status line and key line."""
        yield from self._headers()
        with Horizontal(id="body"):
            yield NetworkTree(self.recording, id="tree")
            with TabbedContent(initial=self._first_tab(), id="tabs"):
                for name, pane in self._panes().items():
                    with TabPane(name, id=name.lower()):
                        yield pane
        yield StatusLine(id="foot")
        yield KeyLine()

    def _headers(self) -> Iterator[Widget]:
        """Return the header lines."""
        yield RunHeader(self.recording, id="head")

    def _panes(self) -> dict[str, Pane]:
        """Return the panes by the names on their tabs."""
        runs = self.recording, self.comparison
        return {
            "Detail": DetailPane(*runs),
            "Distribution": DistributionPane(*runs),
            "Why": WhyPane(*runs),
            "Scalars": ScalarsPane(*runs),
            "Run": RunPane(*runs),
            "Findings": FindingsPane(*runs),
        }

    def _first_tab(self) -> str:
        failed = self.recording.state.info.status == Status.FAILED
        return "run" if failed or not self.recording.graph.ops else "detail"

    def on_mount(self) -> None:
        """Select the first row and start the timer that reads new steps."""
        self.query_one(Tabs).can_focus = False  # number keys open panes
        self.network.focus()
        self.place = self.network.place
        self._update_status()
        self.set_interval(POLL_INTERVAL, self.poll)
        self.set_timer(POLL_INTERVAL, partial(self._prepare, self.recording.prepare()))
        self.call_after_refresh(self.query_one(FindingsPane).apply_rules)

    def _prepare(self, parts: Iterator[None]) -> None:
        """Do one part of the preparation of `OpenedRun.prepare`, then process waiting keys."""
        if next(parts, self) is None:
            self.set_timer(REST_TIME, partial(self._prepare, parts))

    @property
    def browser(self) -> FileWriter:
        """The app, which shows messages and writes files."""
        assert isinstance(self.app, FileWriter)
        return self.app

    @property
    def network(self) -> NetworkTree:
        """The tree."""
        return self.query_one(NetworkTree)

    @property
    def foot(self) -> StatusLine:
        """The status line with the search field."""
        return self.query_one(StatusLine)

    @property
    def tabs(self) -> TabbedContent:
        """The tabs."""
        return self.query_one(TabbedContent)

    @property
    def pane(self) -> Pane:
        """The visible pane."""
        return self.tabs.get_pane(self.tabs.active).query_one(Pane)

    @on(FindingsPane.FindingsChanged)
    def mark(self, event: FindingsPane.FindingsChanged) -> None:
        """Mark the findings in the tree."""
        self._mark(event.findings)

    def _mark(self, findings: Sequence[Finding]) -> None:
        self.network.marks.show(findings)
        self.network.refresh()

    # selection

    @on(LineList.Moved, "#tree")
    def follow_tree(self) -> None:
        """Show the selected row in the pane once the cursor rests."""
        if self._rest_timer is not None:
            self._rest_timer.stop()
        self._rest_timer = self.set_timer(REST_TIME, self._show_selected_row)

    @property
    def awaits_rest(self) -> bool:
        """Whether the cursor has moved and the pane does not show the selected row yet."""
        return self._rest_timer is not None

    def _show_selected_row(self) -> None:
        """Show the selected row, unless a followed link has selected it."""
        self._rest_timer = None
        node = self.network.node
        self.foot.show(self.network)
        if self._linked_row != (node.key if node else None,):
            self.place = self.network.place
            self.update_pane()
        self._linked_row = None

    @on(LineList.Followed)
    def follow(self, event: LineList.Followed) -> None:
        """Follow the link of a line."""
        if isinstance(event.link, AxisOf):
            self.show_tab("why", event.link)
            return
        self.go(event.link)

    def go(self, place: Place) -> None:
        """Select a place, and remember the current one for `backspace`."""
        if self.place is not None and self.place != place:
            self.history.append(self._current_visit())
        self._show(place)
        if self.tabs.active in PANES_OF_RUN:
            self.show_tab("detail")
        else:
            self.update_pane()

    def _current_visit(self) -> Visit:
        axis = self.query_one(WhyPane).shown_axis if self.tabs.active == "why" else None
        return Visit(self.place, self.tabs.active, axis, self.pane.query_one(LineList).cursor)

    def _show(self, place: Place | None) -> None:
        """Select a place and its row in the tree."""
        self.place = place
        if place is None:
            return
        if self.network.show_place(place):
            node = self.network.node
            self._linked_row = (node.key if node else None,)
        else:
            self.browser.show_message(f"{place.name} is hidden: {self.network.hiding}")

    def update_pane(self, axis: AxisOf | None = None) -> None:
        """Show the selection in the visible pane."""
        self.pane.show_place(self.place, axis)
        self._refresh_keys()

    def show_tab(self, name: str, axis: AxisOf | None = None) -> None:
        """Open a pane, and focus its list unless the tree has the focus."""
        if self.zoomed == "tree":
            self.action_zoom()
        self.tabs.active = name
        self.update_pane(axis)
        if self.focused is not self.network:
            self.pane.query_one(LineList).focus()

    @on(TabbedContent.TabActivated)
    def fill_opened_pane(self) -> None:
        """Show the selection in the opened pane."""
        self.update_pane()

    def action_tab(self, name: str) -> None:
        """Open a pane, and focus its list if `enter` follows its lines."""
        self.show_tab(name)
        if name in PANES_OF_LINKS:
            self.pane.query_one(LineList).focus()

    def action_why(self) -> None:
        """Explain the axis at the cursor, else the last axis of the selection."""
        detail = self.query_one(DetailPane)
        axis = detail.axis if self.tabs.active == "detail" and detail.lines.has_focus else None
        self.show_tab("why", axis)

    def action_back(self) -> None:
        """Return to the line whose link was followed last."""
        if self.history:
            visit = self.history.pop()
            self._show(visit.place)
            self.show_tab(visit.tab, visit.axis)
            self.pane.query_one(LineList).cursor = visit.line

    # the tree

    def action_depth(self) -> None:
        """Show ops in the tree, or only layers."""
        self.network.set_depth(ops=not self.network.by_op)
        self._update_status()

    def action_filter(self) -> None:
        """Apply the next filter to the tree."""
        filters = list(OutlineFilter)
        self.confine(filters[(filters.index(self.network.only) + 1) % len(filters)])

    def confine(self, only: OutlineFilter) -> None:
        """Apply a filter to the tree. Backward and optimizer ops need the tree of ops."""
        if only in (OutlineFilter.BACKWARD, OutlineFilter.OPTIMIZER):
            self.network.set_depth(ops=True)
        self.network.confine(only)
        self._update_status()

    def action_search(self) -> None:
        """Open the search field."""
        self.foot.open_search()

    @on(Input.Changed, "#query")
    def search(self, event: Input.Changed) -> None:
        """Search for the text typed so far."""
        self.network.search(event.value)
        self._update_status()

    @on(Input.Submitted, "#query")
    def search_done(self) -> None:
        """Close the search field, and keep the hits in the tree."""
        self._close_search()
        self._update_status()

    def _close_search(self) -> None:
        self.foot.close_search()
        self._to_tree()

    def _to_tree(self) -> None:
        if self.zoomed == "tabs":
            self.action_zoom()
        self.network.focus()

    def action_hit(self, direction: int) -> None:
        """Go to the next search hit, or with -1 to the previous one."""
        self.network.next_hit(direction)
        self._update_status()

    def action_leave(self) -> None:
        """End the search, else end the zoom, else go to the tree.

        A search that is still typed restores the old selection; later the new one stays.
        """
        searching = self.foot.searching
        if searching or self.network.query_text:
            self.network.end_search(stay=not searching)
            self.foot.clear_search()
            self._close_search()
            self._update_status()
        elif self.zoomed:
            self.action_zoom()
        else:
            self._to_tree()

    # panes

    def action_next_option(self, name: str) -> None:
        """Choose the next option of a control of the Distribution pane."""
        self.query_one(DistributionPane).bar(name).choose_next()
        self.call_after_refresh(self.refresh_bindings)

    def action_step(self, by: int) -> None:
        """Move by some recorded steps."""
        self.query_one(DistributionPane).slider.move(by)

    def action_axis(self, by: int) -> None:
        """Explain the next axis, or with -1 the previous one."""
        self.query_one(WhyPane).axes.choose_next(by)

    def action_zoom(self) -> None:
        """Enlarge the side that has the focus to the whole window, or show both sides again."""
        side = "tree" if self.network.has_focus else "tabs"
        self.zoomed = "" if self.zoomed else side
        self.network.display = self.zoomed != "tabs"
        self.tabs.display = self.zoomed != "tree"
        self.network.set_class(self.zoomed == "tree", "whole")

    # files

    def action_copy(self) -> None:
        """Copy the text of the pane, or the name of the selection."""
        text = self.pane.text_to_copy() or (self.place.name if self.place is not None else "")
        if text:
            self.app.copy_to_clipboard(text)
            count = len(text.splitlines())
            said = f"copied {count} lines" if count > 1 else f"copied: {text[:60]}"
            self.browser.show_message(said)

    def action_svg(self) -> None:
        """Write the picture of the visible pane to an SVG file."""
        request = self.pane.picture_request(self.place)
        if request is None:
            self.browser.show_message("nothing to draw in this pane", severity="warning")
            return
        path, request = self._in_one_run(request)
        self.browser.write_file(lambda: write_picture(path, request, Path.cwd()))

    def _in_one_run(self, request: PictureRequest) -> tuple[Path, PictureRequest]:
        """Return the run file to draw from, and the request with the names of that run."""
        self.browser.show_message("drawing the picture ...")
        return self.recording.path, request

    def action_report(self) -> None:
        """Write the HTML report of the run, or of both runs."""
        runs = " of both runs" if self.comparison is not None else ""
        self.browser.show_message(f"writing the report{runs} ...")
        path = self.recording.path
        other = self.comparison.b.path if self.comparison is not None else None
        self.browser.write_file(lambda: write_report(path, other, Path.cwd()))

    def action_reload(self) -> None:
        """Reopen the run file, which another run may have replaced."""
        try:
            fresh = OpenedRun(self.recording.path)
        except InspectError as error:
            self.browser.show_message(str(error), severity="error")
            return
        self.app.switch_screen(BrowseScreen(fresh))

    def on_unmount(self) -> None:
        """Close the run file."""
        self.recording.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is available now. The key line leaves out the others."""
        active = self.tabs.active if self.is_mounted else ""
        if action in ("next_option", "step"):
            if active != "distribution":
                return False
            pane = self.query_one(DistributionPane)
            if action == "step":
                return pane.slider.display and len(pane.slider.steps) > 1
            bar = pane.bar(str(parameters[0]))
            return len(bar.options) > 1 and bar.display
        if action == "axis":
            return active == "why" and len(self.query_one(WhyPane).axes.options) > 1
        if action == "tab":
            return parameters[0] != active
        if action == "hit":
            return bool(self.network.hits)
        if action == "back":
            return bool(self.history)
        return True

    def _refresh_keys(self) -> None:
        """Update the key line if other actions are available. Each update is expensive."""
        folds = self.network.check_action("fold_or_open", ())
        available = (self.check_action(*action) for action in CONDITIONAL_ACTIONS)
        enabled = self.tabs.active, folds, *available
        if enabled != self._enabled_actions:
            self._enabled_actions = enabled
            self.refresh_bindings()

    # the run

    def poll(self) -> None:
        """Read new steps of the run and update the screen."""
        before = self.recording.state
        if self.recording.poll() is before:
            return
        self.query_one("#head", RunHeader).show()
        self.query_one(FindingsPane).apply_rules()
        if self.recording.state.steps != before.steps:
            self.network.refresh()
            self.pane.show_place(self.place, None)
            self._refresh_keys()

    def _update_status(self) -> None:
        self.foot.show(self.network)
        self._refresh_keys()
