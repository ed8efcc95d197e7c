"""The header line: network, status, steps and file of a run."""

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
MIN_PATH_WIDTH = 8


class RunHeader(Static):
    """One line about the run, cut to the width.

    With a `sign`, A or B, it is the header of one of two runs and begins with the file.
    """

    def __init__(self, recording: OpenedRun, sign: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.recording = recording
        self.sign = sign

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.show()

    def show(self) -> None:
        """Show the current state."""
        state = self.recording.state
        space = max(10, self.size.width - 2)
        parts = state_texts(state)
        if self.sign:
            self._show_one_of_two(parts, state.file_error, space)
            return
        if state.file_error:
            parts = [parts[0], state.file_error]
        while len(parts) > 3 and cell_len(BETWEEN.join(parts)) > space:
            parts.pop()
        text = BETWEEN.join(parts)
        left = space - cell_len(printable(text)) - len(BETWEEN)
        if left >= MIN_PATH_WIDTH and not state.file_error:  # only the path is shortened
            text += BETWEEN + fitted(spelling.path(self.recording.path), left)
        self.update(Text(fitted(text, space), "bold" if state.file_error else ""))
        self.set_class(bool(state.file_error), "file-error")

    def _show_one_of_two(self, parts: list[str], file_error: str, space: int) -> None:
        """Show the sign, the end of the path, then what fits."""
        parts = [file_error] if file_error else parts
        path = fitted(spelling.path(self.recording.path), max(MIN_PATH_WIDTH, space // 3))
        while len(parts) > 1 and cell_len(printable(BETWEEN.join([path, *parts]))) > space - 3:
            parts.pop()
        text = fitted(BETWEEN.join([path, *parts]), space - 3)
        style = "bold" if file_error else ""
        self.update(Text().append(f"{self.sign}  ", "bold").append(text, style))
        self.set_class(bool(file_error), "file-error")


def state_texts(state: State) -> list[str]:
    """Return the facts of a run, the most important first."""
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
