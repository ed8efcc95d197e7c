"""What `check` finds in the run, worst first; a finding leads to its place in the network.

The rules are put to the run in a thread, and again while it is being written: of a run that goes on
never more than a fifth of the time goes into that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from resnet_inspect.analysis.check import Finding
from resnet_inspect.errors import InspectError
from resnet_inspect.render.pages.findings_page import WIDEST, counted, finding_lines
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.run.two_runs import STYLES, TwoRuns
from resnet_inspect.tui.widgets.finding_marks import link_to
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import ARROW, broken

# Of more ops the rules take seconds, during which keys would be slow: only who asks waits.
MOST_OPS = 20_000
REST = 4


class FindingsList(LineList):
    """The lines of the findings."""

    HELP = """\
**Findings.** What `check` finds, worst first: what is wrong, what was measured, why it matters,
what to try. `up` and `down` go from one to the next. Findings with an arrow lead to their layer, op
or variable: `enter` goes there, `backspace` comes back. The tree marks those places.
"""

    def action_move(self, lines: int) -> None:
        """Move to the next or the previous finding, and show all of it that has room."""
        heads = [i for i in range(self.count) if self._told(i) and not (i and self._told(i - 1))]
        further = [i for i in heads if (i - self.cursor) * lines > 0]
        if abs(lines) != 1 or not further:
            super().action_move(lines)
            return
        place = further[0] if lines > 0 else further[-1]
        self.cursor = end = place
        while end + 1 < self.count and self._told(end + 1):
            end += 1
        below = end + 1 - max(1, self.scrollable_content_region.height)
        if below > self.scroll_offset.y:
            self.scroll_to(y=min(place, below), animate=False, force=True)

    def _told(self, place: int) -> bool:
        """Whether a line says anything; empty ones stand between findings."""
        return bool(self.text_of(place).plain)


class FindingsPane(Pane):
    """The findings of the run, for the tree too."""

    class Found(Message):
        """The rules were put to the run."""

        def __init__(self, findings: Sequence[Finding]) -> None:
            super().__init__()
            self.findings = findings

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.findings: Sequence[Finding] | None = None
        self._trouble = ""
        self._judged: State | None = None
        self._busy = False
        self._width = 0

    def compose(self) -> ComposeResult:
        """A list of lines."""
        yield FindingsList(id="findings-lines")

    @property
    def lines(self) -> FindingsList:
        """The list."""
        return self.query_one(FindingsList)

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the findings; put the rules to the run where that was not done yet."""
        del place, axis
        self._fill()
        self.judge(asked=True)

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        del event
        self._fill()

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def judge(self, *, asked: bool = False) -> None:
        """Put the rules to the run as it is now; that of a large graph only when it is `asked`."""
        large = len(self.recording.graph.ops) > MOST_OPS and self._judged is None
        state = self.recording.state
        if not self._busy and not _same(state, self._judged) and (asked or not large):
            self._busy = True
            self._judge(state)

    @work(thread=True, group="page", exit_on_error=False)
    def _judge(self, state: State) -> None:
        began, found, trouble = monotonic(), None, ""
        try:
            found = self.recording.findings(state)
        except InspectError as error:
            trouble = str(error)
        if not get_current_worker().is_cancelled:
            took = monotonic() - began
            self.app.call_from_thread(self._told, state, found, trouble, took)

    def _told(
        self, state: State, found: Sequence[Finding] | None, trouble: str, took: float
    ) -> None:
        """Take note of what was found, and look again after a while if the run has gone on."""
        self._judged, self._trouble = state, trouble
        if found is not None:
            self.findings = found
            self.post_message(self.Found(found))
        self._fill()
        self.set_timer(REST * took, self._rested)

    def _rested(self) -> None:
        self._busy = False
        self.judge()

    def _fill(self) -> None:
        """Show the findings, from where they were read."""
        if not self.size.width:
            return
        made = list(self._made(self.size.width - 2))
        self.lines.renew(made)
        if self.comparison is not None and self.lines.cursor == 0:  # which is a title there
            self.lines.cursor = next((i for i, line in enumerate(made) if line.link), 0)

    def _made(self, width: int) -> Iterator[Line]:
        if self._trouble:
            yield from (Line(Text(line)) for line in self._trouble.splitlines())
            return
        if self.findings is None or self._judged is None:
            yield Line(Text("looking for what is wrong ...", "dim"))
            return
        width = min(max(24, width), WIDEST)
        if self.comparison is not None:
            yield from self._of_two(self.comparison, width)
            return
        for one in self.findings:
            yield from _told(one, link_to(one.place), width)
        steps = len(self._judged.recorded)
        told = f"{steps} recorded step{'s' * (steps != 1)}: {counted(self.findings)}"
        yield from (Line(Text(part, "dim")) for part in broken(told, width))

    def _of_two(self, two: TwoRuns, width: int) -> Iterator[Line]:
        """What only one run has, then what both have."""
        compared = two.compared
        if compared is None or compared.found.findings is None:
            yield Line(Text("comparing the runs ...", "dim"))
            return
        only = compared.found.findings
        for sign, side, found in (
            ("−", "only in A", only.only_a),
            ("+", "only in B", only.only_b),
            ("=", "in both, as A tells", compared.common_findings),
        ):
            yield Line(Text(f"{sign} {side}: {counted(found)}", f"bold {STYLES.get(sign, '')}"))
            yield Line(Text(""))
            for one in found:
                place = link_to(one.place)
                yield from _told(one, two.linked(place) if sign == "+" else place, width)


def _told(one: Finding, place: Link | None, width: int) -> Iterator[Line]:
    """A finding, which leads to its place, and an empty line."""
    lines = finding_lines(one, width - len(ARROW) * (place is not None))
    if place is not None:
        lines[0].append(ARROW, "bold")
    yield from (Line(text, place) for text in lines)
    yield Line(Text(""))


def _same(state: State, judged: State | None) -> bool:
    """Whether nothing was written in between that rules look at."""
    if judged is None:
        return False
    return (state.steps, state.info.status) == (judged.steps, judged.info.status)
