"""What the panes beside the tree have in common: a subject, and the runs that it is of."""

from __future__ import annotations

from textual.containers import Vertical

from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import Selected, TwoRuns


class Pane(Vertical):
    """Shows something about the selected place; asked to only while it is visible.

    `comparison` is given where a second run is beside the first.
    """

    def __init__(
        self, recording: OpenedRun, comparison: TwoRuns | None = None, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.recording = recording
        self.comparison = comparison

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place; `axis` is one of it that was asked for."""
        raise NotImplementedError

    def copied(self) -> str:
        """What `c` copies here; empty for the name of the place."""
        return ""

    @property
    def runs(self) -> list[Selected]:
        """The run, or both."""
        two = self.comparison
        if two is None:
            return [Selected("", self.recording, None)]
        return [Selected("A", two.a, None), Selected("B", two.b, None)]

    def sides(self, place: Place | None) -> list[Selected]:
        """The place as each run has it that has it."""
        if self.comparison is None:
            return [Selected("", self.recording, place)]
        return self.comparison.sides(place)

    @property
    def known(self) -> object:
        """Changes when the runs have been compared: then what is shown is no longer all."""
        return self.comparison and self.comparison.compared
