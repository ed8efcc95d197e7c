"""Reports the progress of a trace on stderr: as a bar in a terminal, otherwise in lines."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

    from resnet_inspect.stats import StepRecord

LINES = 5  # at most, about, for all steps


class Narrator:
    """Reports the progress of a trace. Pass `watch` to `api.record` inside a with statement.

    `path` is the run file, None before the file exists.
    """

    def __init__(self, steps: int, *, quiet: bool) -> None:
        self.path: Path | None = None
        self._steps = max(steps, 1)
        self._quiet = quiet
        self._bar: Progress | None = None
        self._count = 0

    def plan(self, steps: int) -> None:
        """Set the number of steps."""
        self._steps = max(steps, 1)

    def say(self, text: str) -> None:
        """Print a line on stderr."""
        if not self._quiet:
            with suppress(OSError, ValueError):  # stderr is full or closed; the trace continues
                print(text, file=sys.stderr, flush=True)

    def watch(self, path: Path, record: StepRecord | None) -> None:
        """Report an event of a trace: a new run file if `record` is None, otherwise a step."""
        if record is not None:
            self._step(record)
            return
        self.path = path
        plural = "s" if self._steps > 1 else ""
        self.say(f"recording {self._steps} step{plural} in {path} ...")
        self._start_bar()

    def _step(self, record: StepRecord) -> None:
        loss = record.scalars.get("loss")
        text = f"{record.seconds:.2f} s"
        if loss is not None:
            text = f"loss {loss:.4f}, {text}"
        if record.step == 0:
            text += " (the first step compiles)"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, description=text)
        elif self._count % max(1, self._steps // LINES) == 0 or record.step == self._steps - 1:
            self.say(f"step {record.step}: {text}")
        self._count += 1

    def _start_bar(self) -> None:
        if self._quiet or sys.stderr is None or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.add_task("", total=self._steps)
        self._bar.start()

    def __enter__(self) -> Self:
        """Return the narrator."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the progress bar."""
        if self._bar is not None:
            self._bar.stop()
