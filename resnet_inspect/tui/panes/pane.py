"""The base class of the panes beside the tree."""

from __future__ import annotations

from textual.containers import Vertical

from resnet_inspect.tui.run.documents import PictureRequest
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.two_runs import RunPlace, TwoRuns


class Pane(Vertical):
    """Shows facts about the selected place while the pane is visible.

    `comparison` is set where two runs are compared.
    """

    def __init__(
        self, recording: OpenedRun, comparison: TwoRuns | None = None, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.recording = recording
        self.comparison = comparison

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place, and one `axis` of it if the user chose an axis."""
        raise NotImplementedError

    def text_to_copy(self) -> str:
        """Return the text that `c` copies. If it is empty, `c` copies the name of the place."""
        return ""

    def picture_request(self, place: Place | None) -> PictureRequest | None:
        """Return the picture that `s` draws: by default the network, or the part at `place`."""
        return PictureRequest("network", place) if self.recording.graph.ops else None

    @property
    def runs(self) -> list[RunPlace]:
        """The run, or both runs."""
        two = self.comparison
        if two is None:
            return [RunPlace("", self.recording, None)]
        return [RunPlace("A", two.a, None), RunPlace("B", two.b, None)]

    def sides(self, place: Place | None) -> list[RunPlace]:
        """Return the place in each run that has it."""
        if self.comparison is None:
            return [RunPlace("", self.recording, place)]
        return self.comparison.sides(place)

    @property
    def comparison_result(self) -> object:
        """The result of the comparison. When it arrives, the pane must be drawn again."""
        return self.comparison and self.comparison.result
