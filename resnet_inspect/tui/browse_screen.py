"""The screen for a run: tree left, what is selected right, status and keys below.

Long because each action of a key is a method of the screen, as Textual finds them; what they do is
done in the panes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TabbedContent, TabPane, Tabs

from resnet_inspect.analysis.browse.outline import Key, Only
from resnet_inspect.analysis.check import Finding
from resnet_inspect.errors import InspectError
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.store.info import Status
from resnet_inspect.tui.browse_keys import KEYS
from resnet_inspect.tui.panes.detail_pane import DetailPane
from resnet_inspect.tui.panes.distribution_pane import DistributionPane
from resnet_inspect.tui.panes.findings_pane import FindingsPane
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.panes.run_pane import RunPane
from resnet_inspect.tui.panes.scalars_pane import ScalarsPane
from resnet_inspect.tui.panes.why_pane import WhyPane
from resnet_inspect.tui.run.documents import Wanted, write_picture, write_report
from resnet_inspect.tui.run.file_writer import FileWriter
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.header import RunHeader
from resnet_inspect.tui.widgets.key_line import KeyLine
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree

# Panes that do not show what is selected, or one axis of it only.
LEADING = ("findings", "differences")
NOT_OF_PLACES = ("why", "scalars", "run", "findings", "differences")
POLL = 0.5
# A pane follows the tree once the cursor has rested so long (seconds).
REST = 0.01
# Actions that make sense at times only, as `check_action` takes them.
AT_TIMES: tuple[tuple[str, tuple[object, ...]], ...] = (
    *(("turn", (name,)) for name in ("view", "tensor", "scale", "sides")),
    *((name, (1,)) for name in ("step", "axis", "hit")),
    ("back", ()),
)


@dataclass(frozen=True)
class Visit:
    """Where one was before a line was followed: place, pane, axis explained, line."""

    place: Place | None
    tab: str
    axis: AxisOf | None
    line: int


class BrowseScreen(Screen[None]):
    """One run."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__()
        self.recording = recording
        self.comparison = comparison
        self.place: Place | None = None
        self.history: list[Visit] = []
        self.zoomed = ""
        self._went: tuple[Key | None] | None = None
        self._offered: tuple[object, ...] = ()
        self._resting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Header, tree and panes, status, footer."""
        yield from self._heads()
        with Horizontal(id="body"):
            yield NetworkTree(self.recording, id="tree")
            with TabbedContent(initial=self._first_tab(), id="tabs"):
                for name, pane in self._panes().items():
                    with TabPane(name, id=name.lower()):
                        yield pane
        with Horizontal(id="foot"):
            yield Input(
                placeholder="name or type; enter keeps the place, esc goes back",
                id="query",
                compact=True,
            )
            yield Static(id="status")
        yield KeyLine()

    def _heads(self) -> Iterator[Widget]:
        """What is told of the run above all."""
        yield RunHeader(self.recording, id="head")

    def _panes(self) -> dict[str, Pane]:
        """The panes by what stands on their tabs."""
        of = self.recording, self.comparison
        return {
            "Detail": DetailPane(*of),
            "Distribution": DistributionPane(*of),
            "Why": WhyPane(*of),
            "Scalars": ScalarsPane(*of),
            "Run": RunPane(*of),
            "Findings": FindingsPane(*of),
        }

    def _first_tab(self) -> str:
        failed = self.recording.state.info.status == Status.FAILED
        return "run" if failed or not self.recording.graph.ops else "detail"

    def on_mount(self) -> None:
        """Begin at the first row, and look for new steps from time to time."""
        self.query_one("#query").display = False
        self.query_one(Tabs).can_focus = False  # numbers turn them; tab goes from list to list
        self.network.focus()
        self.place = self.network.place
        self._status()
        self.set_interval(POLL, self.poll)
        self.set_timer(POLL, partial(self._prepare, self.recording.prepare()))
        self.call_after_refresh(self.query_one(FindingsPane).judge)

    def _prepare(self, parts: Iterator[None]) -> None:
        """Do a part of what first keys would wait for, and let keys come in between."""
        if next(parts, self) is None:
            self.set_timer(REST, partial(self._prepare, parts))

    @property
    def browser(self) -> FileWriter:
        """The app, which tells and writes."""
        assert isinstance(self.app, FileWriter)
        return self.app

    @property
    def network(self) -> NetworkTree:
        """The tree."""
        return self.query_one(NetworkTree)

    @property
    def tabs(self) -> TabbedContent:
        """The tabs."""
        return self.query_one(TabbedContent)

    @property
    def pane(self) -> Pane:
        """The visible pane."""
        return self.tabs.get_pane(self.tabs.active).query_one(Pane)

    @on(FindingsPane.Found)
    def mark(self, event: FindingsPane.Found) -> None:
        """Mark the rows of the tree."""
        self._mark(event.findings)

    def _mark(self, findings: Sequence[Finding]) -> None:
        self.network.marks.show(findings)
        self.network.refresh()

    # what is selected

    @on(LineList.Moved, "#tree")
    def follow_tree(self) -> None:
        """Show the row that the cursor rests on."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        """Follow the tree, unless it only came along to what a line led to."""
        node = self.network.node
        if self._went != (node.key if node else None,):
            self.place = self.network.place
            self.look()
        self._went = None

    @on(LineList.Followed)
    def follow(self, event: LineList.Followed) -> None:
        """Go where a line leads."""
        if isinstance(event.link, AxisOf):
            self.show_tab("why", event.link)
            return
        self.go(event.link)

    def go(self, place: Place) -> None:
        """Select a place; backspace comes back."""
        if self.place is not None and self.place != place:
            self.history.append(self._visit())
        self._show(place)
        if self.tabs.active in NOT_OF_PLACES:
            self.show_tab("detail")
        else:
            self.look()

    def _visit(self) -> Visit:
        axis = self.query_one(WhyPane).asked if self.tabs.active == "why" else None
        return Visit(self.place, self.tabs.active, axis, self.pane.query_one(LineList).cursor)

    def _show(self, place: Place | None) -> None:
        """Select a place, and the row of the tree that it is, or lies in."""
        self.place = place
        if place is None:
            return
        if self.network.show_place(place):
            node = self.network.node
            self._went = (node.key if node else None,)
        else:
            self.browser.tell(f"{place.name} is not in the tree now: {self.network.hiding}")

    def look(self, axis: AxisOf | None = None) -> None:
        """Let the visible pane show what is selected."""
        self.pane.look_at(self.place, axis)
        self._offer_keys()

    def show_tab(self, name: str, axis: AxisOf | None = None) -> None:
        """Turn to a pane, and to its list."""
        if self.zoomed == "tree":
            self.action_zoom()
        self.tabs.active = name
        self.look(axis)
        if self.focused is not self.network:
            self.pane.query_one(LineList).focus()

    @on(TabbedContent.TabActivated)
    def tab_turned(self) -> None:
        """Fill a pane when it is turned to."""
        self.look()

    def action_tab(self, name: str) -> None:
        """Turn to a pane; to the list of one that leads to places, whose `enter` is its use."""
        self.show_tab(name)
        if name in LEADING:
            self.pane.query_one(LineList).focus()

    def action_why(self) -> None:
        """Explain the axis of the cursor's line, else the last axis of what is selected."""
        detail = self.query_one(DetailPane)
        axis = detail.axis if self.tabs.active == "detail" and detail.lines.has_focus else None
        self.show_tab("why", axis)

    def action_back(self) -> None:
        """Go back to where a line was followed."""
        if self.history:
            visit = self.history.pop()
            self._show(visit.place)
            self.show_tab(visit.tab, visit.axis)
            self.pane.query_one(LineList).cursor = visit.line

    # the tree

    def action_depth(self) -> None:
        """Show ops, or layers only."""
        self.network.set_depth(ops=not self.network.by_op)
        self._status()

    def action_filter(self) -> None:
        """Confine the tree to the next sort."""
        every = list(Only)
        self.confine(every[(every.index(self.network.only) + 1) % len(every)])

    def confine(self, only: Only) -> None:
        """Confine the tree to a sort; backward and optimizer are sorts of ops."""
        if only in (Only.BACKWARD, Only.OPTIMIZER):
            self.network.set_depth(ops=True)
        self.network.confine(only)
        self._status()

    def action_search(self) -> None:
        """Ask what to search for."""
        query = self.query_one("#query", Input)
        query.display = True
        query.focus()

    @on(Input.Changed, "#query")
    def search(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        self.network.search(event.value)
        self._status()

    @on(Input.Submitted, "#query")
    def search_done(self) -> None:
        """Keep what was found, and go on in the tree."""
        self._close_search()
        self._status()

    def _close_search(self) -> None:
        self.query_one("#query").display = False
        self._to_tree()

    def _to_tree(self) -> None:
        if self.zoomed == "tabs":
            self.action_zoom()
        self.network.focus()

    def action_hit(self, direction: int) -> None:
        """Go to the next hit."""
        self.network.next_hit(direction)
        self._status()

    def action_leave(self) -> None:
        """End the search: while it is typed back to where it began, later where one is; else end
        the zoom, or go from a pane to the tree.
        """
        query = self.query_one("#query", Input)
        if query.display or self.network.query_text:
            self.network.end_search(stay=not query.display)
            with query.prevent(Input.Changed):
                query.value = ""
            self._close_search()
            self._status()
        elif self.zoomed:
            self.action_zoom()
        else:
            self._to_tree()

    # panes

    def action_turn(self, name: str) -> None:
        """Choose the next word of a control of the distribution."""
        self.query_one(DistributionPane).bar(name).turn()
        self.call_after_refresh(self.refresh_bindings)

    def action_step(self, by: int) -> None:
        """Go to another recorded step."""
        self.query_one(DistributionPane).slider.move(by)

    def action_axis(self, by: int) -> None:
        """Explain another axis."""
        self.query_one(WhyPane).axes.turn(by)

    def action_zoom(self) -> None:
        """Give the whole window to the side that has the focus, or share it again."""
        side = "tree" if self.network.has_focus else "tabs"
        self.zoomed = "" if self.zoomed else side
        self.network.display = self.zoomed != "tabs"
        self.tabs.display = self.zoomed != "tree"
        self.network.set_class(self.zoomed == "tree", "whole")

    # files

    def action_copy(self) -> None:
        """Copy what the pane shows, or the name of what is selected."""
        text = self.pane.copied() or (self.place.name if self.place is not None else "")
        if text:
            self.app.copy_to_clipboard(text)
            count = len(text.splitlines())
            self.browser.tell(f"copied {count} lines" if count > 1 else f"copied: {text[:60]}")

    def action_svg(self) -> None:
        """Draw what is selected into a file."""
        wanted = self._wanted()
        if wanted is None:
            self.browser.tell("there is nothing to draw here", severity="warning")
            return
        if self.comparison is None:
            self.browser.tell("drawing ...")
        path = self.recording.path
        if self.comparison is not None:
            path, wanted = self._of_one(self.comparison, wanted)
        self.browser.write_file(lambda: write_picture(path, wanted, Path.cwd()))

    def _of_one(self, two: TwoRuns, wanted: Wanted) -> tuple[Path, Wanted]:
        """A picture is of one run: A, or B for what only B has, by the names that it has there."""
        sides = {side.sign: side for side in two.sides(self.place)}
        parts = self.query_one(DistributionPane).parts if wanted.taps else ()
        side = sides[parts[0].sign if parts else min(sides)]
        self.browser.tell(f"drawing {side.sign} ...")
        axis = two.axis_of(side, wanted.axis)
        place = side.place if wanted.place is not None else None
        return side.recording.path, replace(wanted, place=place, axis=axis)

    def _wanted(self) -> Wanted | None:
        """The picture that the visible pane is asked for."""
        active = self.tabs.active
        if active == "scalars":
            return Wanted("scalars") if self.recording.state.steps else None
        if active == "distribution":
            return self.query_one(DistributionPane).wanted()
        if not self.recording.graph.ops:
            return None
        if active == "run":
            return Wanted("network")
        axis = self.query_one(WhyPane).asked if active == "why" else None
        if axis is not None:
            return Wanted("lineage", axis=axis)
        return Wanted("network", self.place)

    def action_report(self) -> None:
        """Write the page of the run, or of both."""
        of = " of both runs" if self.comparison is not None else ""
        self.browser.tell(f"writing the report{of} ...")
        path = self.recording.path
        other = self.comparison.b.path if self.comparison is not None else None
        self.browser.write_file(lambda: write_report(path, other, Path.cwd()))

    def action_reload(self) -> None:
        """Open the file anew, as after another run took its place."""
        try:
            fresh = OpenedRun(self.recording.path)
        except InspectError as error:
            self.browser.tell(str(error), severity="error")
            return
        self.app.switch_screen(BrowseScreen(fresh))

    def on_unmount(self) -> None:
        """Let go of the run file."""
        self.recording.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action makes sense now; the footer leaves out the others."""
        active = self.tabs.active if self.is_mounted else ""
        if action in ("turn", "step"):
            if active != "distribution":
                return False
            pane = self.query_one(DistributionPane)
            if action == "step":
                return pane.slider.display and len(pane.slider.steps) > 1
            bar = pane.bar(str(parameters[0]))
            return len(bar.words) > 1 and bar.display
        if action == "axis":
            return active == "why" and len(self.query_one(WhyPane).axes.words) > 1
        if action == "tab":
            return parameters[0] != active
        if action == "hit":
            return bool(self.network.hits)
        if action == "back":
            return bool(self.history)
        return True

    def _offer_keys(self) -> None:
        """Make the footer again, which takes as long as all else, only if keys come or go."""
        offered = self.tabs.active, *(self.check_action(*action) for action in AT_TIMES)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    # the run

    def poll(self) -> None:
        """Look whether the run has gone on."""
        before = self.recording.state
        if self.recording.poll() is before:
            return
        self.query_one("#head", RunHeader).show()
        self.query_one(FindingsPane).judge()
        if self.recording.state.steps != before.steps:
            self.network.refresh()
            self.pane.look_at(self.place, None)
            self._offer_keys()

    def _status(self) -> None:
        network = self.network
        parts = ["ops" if network.by_op else "layers"]
        if network.only != Only.ALL:
            parts.append(f"only {network.only}")
        if network.query_text:
            hits = len(network.hits)
            parts.append(f"/{network.query_text}: {hits} hit{'s' * (hits != 1)}, esc ends")
        else:
            parts.append(f"{spelling.count(network.shown)} of {spelling.count(network.total)}")
        self.query_one("#status", Static).update(Text(printable(" · ".join(parts)), "dim"))
        self._offer_keys()
