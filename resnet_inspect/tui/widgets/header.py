"""The first line: which run this is, how far it is, what has become of its file."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static

from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted
from resnet_inspect.store.info import Status
from resnet_inspect.tui.run.opened_run import OpenedRun, State

BETWEEN = " · "
LEAST_PATH = 8


class RunHeader(Static):
    """One line about the run, as long as there is room. With a `sign`, A or B, it is one of two,
    and its file comes first.
    """

    def __init__(self, recording: OpenedRun, sign: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.recording = recording
        self.sign = sign

    def on_resize(self) -> None:
        """Fit the line."""
        self.show()

    def show(self) -> None:
        """Tell the state as it is now."""
        state = self.recording.state
        room = max(10, self.size.width - 2)
        parts = told(state)
        if self.sign:
            self._show_one_of_two(parts, state.trouble, room)
            return
        if state.trouble:
            parts = [parts[0], state.trouble]
        while len(parts) > 3 and cell_len(BETWEEN.join(parts)) > room:
            parts.pop()
        text = BETWEEN.join(parts)
        left = room - cell_len(printable(text)) - len(BETWEEN)
        if left >= LEAST_PATH and not state.trouble:  # the path is what may be shortened
            text += BETWEEN + fitted(spelling.path(self.recording.path), left)
        self.update(Text(fitted(text, room), "bold" if state.trouble else ""))
        self.set_class(bool(state.trouble), "trouble")

    def _show_one_of_two(self, parts: list[str], trouble: str, room: int) -> None:
        """The sign, the end of the path, then as much as there is room for."""
        parts = [trouble] if trouble else parts
        path = fitted(spelling.path(self.recording.path), max(LEAST_PATH, room // 3))
        while len(parts) > 1 and cell_len(printable(BETWEEN.join([path, *parts]))) > room - 3:
            parts.pop()
        text = fitted(BETWEEN.join([path, *parts]), room - 3)
        style = "bold" if trouble else ""
        self.update(Text().append(f"{self.sign}  ", "bold").append(text, style))
        self.set_class(bool(trouble), "trouble")


def told(state: State) -> list[str]:
    """What there is to say of a run, what matters most first."""
    info, done = state.info, len(state.steps)
    planned = info.settings.planned or (done if not state.live else "?")
    parts = [info.network, str(info.status)]
    parts.append(f"step {done} of {planned}" if state.live else f"{done} of {planned} steps")
    if state.live and state.rate is not None:
        parts.append(f"{state.rate:.1f} steps/s")
    if info.status == Status.INTERRUPTED and info.reason:
        parts.append(info.reason)
    if info.failure is not None:
        parts.append(info.failure.kind)
    if state.origin is not None:
        parts.append(f"not finite from step {state.origin.step} on")
    return [*parts, info.device.removeprefix("/device:")]
