"""The Findings pane: what `check` reports, worst first, with links into the network.

The rules run in a thread, and run again for new steps. They use at most a fifth of the time.
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
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.pages.findings_page import WIDEST, finding_lines, findings_count
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.run.two_runs import STYLES, TwoRuns
from resnet_inspect.tui.widgets.finding_marks import link_to
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import ARROW, sentence

# With more ops the rules take seconds and slow the keys down: they run when the pane is opened.
MAX_OPS = 20_000
PAUSE_FACTOR = 4  # pause between two checks, as a multiple of the time that a check takes


class FindingsList(LineList):
    """The lines of the Findings pane."""

    HELP = """\
**Findings.** The findings of `check`, worst first: problem, evidence, reason, remedy. `up` and
`down` go to the previous and the next finding. A finding with an arrow is a link to its layer, op
or variable: `enter` follows it, `backspace` returns. The tree marks these places.
"""

    def action_move(self, lines: int) -> None:
        """Move to the next or previous finding, and scroll so that it is visible."""
        filled = [bool(self._text_at(i)) for i in range(self.count)]
        heads = [i for i in range(self.count) if filled[i] and not (i and filled[i - 1])]
        further = [i for i in heads if (i - self.cursor) * lines > 0]
        if abs(lines) != 1 or not further:
            super().action_move(lines)
            return
        place = further[0] if lines > 0 else further[-1]
        self.cursor = end = place
        while end + 1 < self.count and self._text_at(end + 1):
            end += 1
        below = end + 1 - max(1, self.scrollable_content_region.height)
        if below > self.scroll_offset.y:
            self.scroll_to(y=min(place, below), animate=False, force=True)

    def _text_at(self, index: int) -> str:
        """Return the text of a line. Empty lines separate the findings."""
        return self.text_of(index).plain


class FindingsPane(Pane):
    """Shows the findings of the run, and sends them to the tree."""

    class FindingsChanged(Message):
        """The rules were applied to the run."""

        def __init__(self, findings: Sequence[Finding]) -> None:
            super().__init__()
            self.findings = findings

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.findings: Sequence[Finding] | None = None
        self._error_text = ""
        self._checked: State | None = None
        self._busy = False
        self._width = 0

    def compose(self) -> ComposeResult:
        """Create the list."""
        yield FindingsList(id="findings-lines")

    @property
    def lines(self) -> FindingsList:
        """The list."""
        return self.query_one(FindingsList)

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the findings. Apply the rules if this was not done yet."""
        del place, axis
        self._fill()
        self.apply_rules(even_large=True)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines again."""
        del event
        self._fill()

    def text_to_copy(self) -> str:
        """Return all lines."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def apply_rules(self, *, even_large: bool = False) -> None:
        """Apply the rules to new steps. Skip a large graph unless `even_large` is set."""
        large = len(self.recording.graph.ops) > MAX_OPS and self._checked is None
        state = self.recording.state
        if not self._busy and not _same(state, self._checked) and (even_large or not large):
            self._busy = True
            self._run_check(state)

    @work(thread=True, group="page", exit_on_error=False)
    def _run_check(self, state: State) -> None:
        began, findings, error_text = monotonic(), None, ""
        try:
            findings = self.recording.findings(state)
        except InspectError as error:
            error_text = str(error)
        if not get_current_worker().is_cancelled:
            took = monotonic() - began
            self.app.call_from_thread(self._show_findings, state, findings, error_text, took)

    def _show_findings(
        self, state: State, findings: Sequence[Finding] | None, error_text: str, took: float
    ) -> None:
        """Show the findings, and check again after a pause if the run has new steps."""
        self._checked, self._error_text = state, error_text
        if findings is not None:
            self.findings = findings
            self.post_message(self.FindingsChanged(findings))
        self._fill()
        self.set_timer(PAUSE_FACTOR * took, self._check_again)

    def _check_again(self) -> None:
        self._busy = False
        self.apply_rules()

    def _fill(self) -> None:
        """Show the findings, and keep the scroll position."""
        if not self.size.width:
            return
        lines = list(self._lines(self.size.width - 2))
        self.lines.update_lines(lines)
        if self.comparison is not None and self.lines.cursor == 0:  # a title, not a finding
            self.lines.cursor = next((i for i, line in enumerate(lines) if line.link), 0)

    def _lines(self, width: int) -> Iterator[Line]:
        if self._error_text:
            yield from (Line(Text(line)) for line in self._error_text.splitlines())
            return
        if self.findings is None or self._checked is None:
            yield Line(Text("checking the run ...", "dim"))
            return
        width = min(max(24, width), WIDEST)
        if self.comparison is not None:
            yield from self._lines_of_two(self.comparison, width)
            return
        for finding in self.findings:
            yield from _linked_lines(finding, link_to(finding.place), width)
        steps = len(self._checked.recorded)
        text = f"{steps} recorded step{'s' * (steps != 1)}: {findings_count(self.findings)}"
        yield from (Line(Text(part, "dim")) for part in wrapped(text, width))

    def _lines_of_two(self, two: TwoRuns, width: int) -> Iterator[Line]:
        """List the findings of one run only, then those of both."""
        result = two.result
        if result is None or result.diff.findings is None:
            yield Line(Text("comparing the runs ...", "dim"))
            return
        only = result.diff.findings
        for sign, side, findings in (
            ("−", "only in A", only.only_a),
            ("+", "only in B", only.only_b),
            ("=", "in both, values of A", result.common_findings),
        ):
            heading = f"{sign} {side}: {findings_count(findings)}"
            yield from sentence(heading, width, f"bold {STYLES.get(sign, '')}")
            yield Line(Text(""))
            for finding in findings:
                place = link_to(finding.place)
                link = two.link_in_tree(place) if sign == "+" else place
                yield from _linked_lines(finding, link, width)


def _linked_lines(finding: Finding, place: Link | None, width: int) -> Iterator[Line]:
    """Return the lines of a finding as links to its place, and an empty line."""
    lines = finding_lines(finding, width - len(ARROW) * (place is not None))
    if place is not None:
        lines[0].append(ARROW, "bold")
    yield from (Line(text, place) for text in lines)
    yield Line(Text(""))


def _same(state: State, checked: State | None) -> bool:
    """Whether steps and status are those of the last check."""
    if checked is None:
        return False
    return (state.steps, state.info.status) == (checked.steps, checked.info.status)
