"""What is told on stderr while a trace runs: a progress bar in a terminal, else a few lines."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

    from resnet_inspect.stats import StepRecord

LINES = 5


class Narrator:
    """Tells of a trace; hand `watch` to `api.record`, in the body of a with statement.

    `path` is the run file as soon as there is one.
    """

    def __init__(self, steps: int, *, quiet: bool) -> None:
        self.path: Path | None = None
        self._steps = max(steps, 1)
        self._made = "graph built"
        self._quiet = quiet
        self._bar: Progress | None = None
        self._seen = 0

    def plan(self, steps: int, made: str) -> None:
        """How many steps there will be, and what is done before them."""
        self._steps, self._made = max(steps, 1), made

    def say(self, text: str) -> None:
        """One line on stderr."""
        if not self._quiet:
            with suppress(OSError, ValueError):  # stderr is full or closed: the trace goes on
                print(text, file=sys.stderr, flush=True)

    def watch(self, path: Path, record: StepRecord | None) -> None:
        """Take one event of a trace."""
        if record is not None:
            self._step(record)
            return
        self.path = path
        plural = "s" if self._steps > 1 else ""
        self.say(f"{self._made}; running {self._steps} step{plural} (run file {path}) ...")
        self._start_bar()

    def _step(self, record: StepRecord) -> None:
        loss = record.scalars.get("loss")
        told = f"{record.seconds:.2f} s"
        if loss is not None:
            told = f"loss {loss:.4f}, {told}"
        if record.step == 0:
            told += " (the first step compiles)"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, description=told)
        elif self._seen % max(1, self._steps // LINES) == 0 or record.step == self._steps - 1:
            self.say(f"step {record.step}: {told}")
        self._seen += 1

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
        """The narrator itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the progress bar away."""
        if self._bar is not None:
            self._bar.stop()
