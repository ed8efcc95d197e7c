"""An open run: its graph is read once, its steps are read again while it is written.

Only the overview and the findings are computed outside the thread of the interface.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from time import monotonic

from resnet_inspect.analysis.browse.details import Details
from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.errors import InspectError
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import Origin, Tap, TensorSummary
from resnet_inspect.store.info import RunInfo, Status
from resnet_inspect.store.run import Run
from resnet_inspect.stored import measured_graph
from resnet_inspect.tui.run.outlines import Outlines

# The rate of steps is the mean over these seconds.
WINDOW = 5.0
REMOVED = "the run file was removed; the data read before stays visible"
REPLACED = "the run file was replaced by another run; ctrl+r opens it"


@dataclass(frozen=True)
class State:
    """The state of a run at one reading.

    `steps` are all steps, `recorded` those with summaries. `rate` is in steps per second, None if
    unknown. `origin` is the first value that was not finite. `file_error` says why the file can no
    longer be read, else it is empty.
    """

    info: RunInfo
    steps: tuple[int, ...]
    recorded: tuple[int, ...]
    rate: float | None = None
    file_error: str = ""
    origin: Origin | None = None

    @property
    def live(self) -> bool:
        """Whether more steps can follow."""
        return self.info.status == Status.RUNNING and not self.file_error


class OpenedRun:
    """An open run and the results computed from it.

    Raises the errors of `Run.open`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = Run.open(path)
        self._identity = _identity(path)
        self.graph: Graph = self.run.graph
        self.lineage: Lineage = self.run.lineage
        self.outlines = Outlines(self.graph)
        self._progress: deque[tuple[float, int]] = deque()
        self._overview: tuple[State, Overview] | None = None
        self._findings: tuple[tuple[int, ...], Status, tuple[Finding, ...]] | None = None
        self._check_lock = Lock()
        self._latest: dict[Tap, tuple[int, TensorSummary | None]] = {}
        self.taps: dict[tuple[str, str], Tap] = {}
        self._near: dict[str, list[Tap]] | None = None
        self._state: State | None = None
        self._state = self._read()

    @property
    def state(self) -> State:
        """The state at the last reading."""
        assert self._state is not None
        return self._state

    def poll(self) -> State:
        """Read the state again. It is the same object if nothing has changed."""
        try:
            identity = _identity(self.path)
            if identity is None or identity != self._identity:
                file_error = REMOVED if identity is None else REPLACED
                fresh = replace(self.state, rate=None, file_error=file_error)
            elif self.state.info.status == Status.RUNNING:
                fresh = self._read()
            else:
                fresh = replace(self.state, file_error="")
        except InspectError as error:
            fresh = replace(self.state, rate=None, file_error=error.what)
        if fresh != self._state:
            self._state = fresh
        return self.state

    def _read(self) -> State:
        """Read the state. The rate stays the last one while no steps are added."""
        info, steps, now = self.run.info, tuple(self.run.steps()), monotonic()
        before = self._state
        if before is not None and len(steps) == len(before.steps):
            rate = None if info.ended else before.rate
            return replace(before, info=info, rate=rate, file_error="")
        self._progress.append((now, len(steps)))
        while len(self._progress) > 2 and now - self._progress[0][0] > WINDOW:
            self._progress.popleft()
        (then, first), rate = self._progress[0], None
        if info.status == Status.RUNNING and now > then:
            rate = (len(steps) - first) / (now - then)
        self._near = None
        self.taps = {(tap.tensor, tap.kind): tap for tap in self.run.taps()}
        recorded = tuple(self.run.recorded_steps())
        return State(info, steps, recorded, rate, origin=self.run.origin)

    def findings(self, state: State) -> tuple[Finding, ...]:
        """Return the findings of `check`, worst first, computed again after new steps.

        This can take seconds, and can be called from any thread.
        """
        from resnet_inspect.findings import check

        with self._check_lock:
            known = self._findings
            if known is None or known[0] != state.steps or known[1] != state.info.status:
                known = self._findings = state.steps, state.info.status, check(self.run)
            return known[2]

    def overview(self, state: State) -> Overview:
        """Return the content of the answer page, computed again after new steps.

        This can take a second, and can be called from any thread.
        """
        from resnet_inspect import api

        known = self._overview
        if known is None or known[0] != state:
            known = self._overview = state, api.summarize(self.run, self.findings(state))
        return known[1]

    @cached_property
    def measured(self) -> Graph:
        """The graph with measured sizes in place of unknown ones."""
        return measured_graph(self.run)

    @cached_property
    def details(self) -> Details:
        """Details of layers, ops, variables and scopes."""
        return Details(self.measured, self.lineage)

    def prepare(self) -> Iterator[None]:
        """Compute in short parts what the first keys need."""
        _ = self.graph.consumers
        yield
        self.details.prepare()
        yield
        _ = self.outlines.ops
        yield
        self.outlines.prepare()
        yield
        self.taps_near("")

    def taps_near(self, name: str) -> list[Tap]:
        """Return the taps of a layer, an op or a variable, in graph order."""
        if self._near is None:
            near: dict[str, list[Tap]] = {}
            self._near = near
            for tap in self.taps.values():
                for owner in {tap.layer, tap.tensor, tap.tensor.rpartition(":")[0]}:
                    near.setdefault(owner, []).append(tap)
        return self._near.get(name, [])

    def tap_of(self, ref: TensorRef, kind: str = "activation") -> Tap | None:
        """Return the tap of a tensor, None if it was not recorded."""
        return self.taps.get((str(ref), kind))

    def latest(self, tap: Tap) -> TensorSummary | None:
        """Return the summary of a tensor at the last recorded step."""
        if not self.state.recorded:
            return None
        step = self.state.recorded[-1]
        known = self._latest.get(tap)
        if known is None or known[0] != step:
            known = self._latest[tap] = step, self.run.course(tap, step).get(step)
        return known[1]

    def close(self) -> None:
        """Close the run file."""
        self.run.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file, None if it does not exist."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as Path.stat, but never raises for odd names
    except OSError:
        return None
    return status.st_dev, status.st_ino
