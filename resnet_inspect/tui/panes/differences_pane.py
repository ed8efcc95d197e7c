"""What is different between two runs, as a pane: all of it, leading to layers."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.tui.panes.diff_sections import difference_lines
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import Compared
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence


class DifferencesList(LineList):
    """The lines of the differences."""

    HELP = """\
**Differences.** What `diff A B` tells: settings, layers that changed (`~`) or that only one run has
(`−` only in A, `+` only in B), distributions with the most different first, scalars, findings.
`enter` on a line with an arrow goes to its layer, `backspace` comes back.
"""


class DifferencesPane(Pane):
    """All differences of two runs."""

    _drawn: tuple[object, ...] = ()
    _trouble = ""

    def compose(self) -> ComposeResult:
        """A list of lines."""
        yield DifferencesList(id="differences-lines")

    @property
    def lines(self) -> DifferencesList:
        """The list."""
        return self.query_one(DifferencesList)

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show the differences; they are the same whatever is selected."""
        del place, axis
        two = self.comparison
        drawn = self.lines.size.width, self.known, two is not None and two.gone_on
        if self.lines.size.width and drawn != self._drawn:
            self._drawn = drawn
            self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        del event
        self.look_at(None, None)

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def fail(self, trouble: str) -> None:
        """Tell why the runs could not be compared."""
        self._trouble = trouble
        self._fill()

    def _fill(self) -> None:
        """Show the differences, from where they were read."""
        self.lines.renew(list(self._made(max(24, self.lines.size.width - 1))))

    def _made(self, width: int) -> Iterator[Line]:
        two = self.comparison
        if self._trouble:
            yield from (Line(Text(line)) for line in self._trouble.splitlines())
        elif two is None or two.compared is None:
            yield Line(Text("comparing the runs ...", "dim"))
        else:
            if two.live:
                yield from sentence(_when(two.compared, gone_on=two.gone_on), width, "bold")
                yield Line(Text(""))
            yield from difference_lines(two.compared, width)


def _when(compared: Compared, *, gone_on: bool) -> str:
    """At what moment runs were compared of which one was still being written."""
    counts = [len(state.steps) for state in compared.states]
    steps = [f"{count} step{'s' * (count != 1)}" for count in counts]
    more = "; there is more now" if gone_on else ""
    return (
        f"Compared when A had {steps[0]} and B {steps[1]}{more}: ctrl+r reads and compares again."
    )
