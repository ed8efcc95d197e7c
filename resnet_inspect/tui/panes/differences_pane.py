"""The Differences pane: all differences between two runs, with links to layers."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.panes.diff_sections import difference_lines
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import ComparisonResult
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence


class DifferencesList(LineList):
    """The lines of the differences."""

    HELP = """\
**Differences.** All differences between runs A and B, as `diff A B` prints them: settings, layers,
distributions, scalars, findings. Layers are changed (`~`), only in A (`−`) or only in B (`+`). The
most different distributions come first. `enter` on a line with an arrow goes to its layer,
`backspace` returns.
"""


class DifferencesPane(Pane):
    """Shows all differences of two runs."""

    _drawn: tuple[object, ...] = ()
    _error_text = ""

    def compose(self) -> ComposeResult:
        """Create the list."""
        yield DifferencesList(id="differences-lines")

    @property
    def lines(self) -> DifferencesList:
        """The list."""
        return self.query_one(DifferencesList)

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the differences. They do not depend on the selection."""
        del place, axis
        two = self.comparison
        drawn = self.lines.size.width, self.comparison_result, two is not None and two.outdated
        if self.lines.size.width and drawn != self._drawn:
            self._drawn = drawn
            self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines again."""
        del event
        self.show_place(None, None)

    def text_to_copy(self) -> str:
        """Return all lines."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def fail(self, text: str) -> None:
        """Show why the runs could not be compared."""
        self._error_text = text
        self._fill()

    def _fill(self) -> None:
        """Show the differences, and keep the scroll position."""
        self.lines.update_lines(list(self._made(max(24, self.lines.size.width - 1))))

    def _made(self, width: int) -> Iterator[Line]:
        two = self.comparison
        if self._error_text:
            yield from (Line(Text(line)) for line in self._error_text.splitlines())
        elif two is None or two.result is None:
            yield Line(Text("comparing the runs ...", "dim"))
        else:
            if two.live:
                yield from sentence(_compared_at(two.result, outdated=two.outdated), width, "bold")
                yield Line(Text(""))
            yield from difference_lines(two.result, width)


def _compared_at(result: ComparisonResult, *, outdated: bool) -> str:
    """Say at which steps the runs were compared, where one was still being written."""
    counts = [len(state.steps) for state in result.states]
    steps = [f"{count} step{'s' * (count != 1)}" for count in counts]
    more = " The runs have changed since." if outdated else ""
    return f"Compared when A had {steps[0]} and B {steps[1]}.{more} Press ctrl+r to compare again."
