"""What the panes beside the tree have in common: a subject, and the run it is of."""

from __future__ import annotations

from textual.containers import Vertical

from resnet_inspect.tui.places import AxisOf, Place
from resnet_inspect.tui.recording import Recording


class Pane(Vertical):
    """Shows something about the selected place; asked to only while it is visible."""

    def __init__(self, recording: Recording, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.recording = recording

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place; `axis` is one of it that was asked for."""
        raise NotImplementedError

    def copied(self) -> str:
        """What `c` copies here; empty for the name of the place."""
        return ""
