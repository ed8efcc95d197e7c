"""The run that is looked at: read once, asked again while it is being written.

All but the overview and the findings is read in the thread of the interface.
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
from resnet_inspect.tui.run.outlines import Outlines

# Seconds over which steps are counted for their rate.
WINDOW = 5.0
GONE = "the run file was removed; what had been read stays"
REPLACED = "another run took the file's place; ctrl+r opens it"


@dataclass(frozen=True)
class State:
    """A run as it is now. `rate` is steps per second since the last look, None if not known.

    `origin` tells of the first number that was not finite; `trouble` says what has become of the
    file, where something has.
    """

    info: RunInfo
    steps: tuple[int, ...]
    recorded: tuple[int, ...]
    rate: float | None = None
    trouble: str = ""
    origin: Origin | None = None

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self.info.status == Status.RUNNING and not self.trouble


class OpenedRun:
    """An open run, and what was worked out from it.

    Raises what `Run.open` raises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = Run.open(path)
        self._identity = _identity(path)
        self.graph: Graph = self.run.graph
        self.lineage: Lineage = self.run.lineage
        self.outlines = Outlines(self.graph)
        self._looks: deque[tuple[float, int]] = deque()
        self._overview: tuple[State, Overview] | None = None
        self._findings: tuple[tuple[int, ...], Status, tuple[Finding, ...]] | None = None
        self._judging = Lock()
        self._latest: dict[Tap, tuple[int, TensorSummary | None]] = {}
        self.taps: dict[tuple[str, str], Tap] = {}
        self._near: dict[str, list[Tap]] | None = None
        self._state: State | None = None
        self._state = self._read()

    @property
    def state(self) -> State:
        """What the last look saw."""
        assert self._state is not None
        return self._state

    def poll(self) -> State:
        """Look again; the state is the same object where nothing has changed."""
        try:
            identity = _identity(self.path)
            if identity is None or identity != self._identity:
                trouble = GONE if identity is None else REPLACED
                fresh = replace(self.state, rate=None, trouble=trouble)
            elif self.state.info.status == Status.RUNNING:
                fresh = self._read()
            else:
                fresh = replace(self.state, trouble="")
        except InspectError as error:
            fresh = replace(self.state, rate=None, trouble=error.what)
        if fresh != self._state:
            self._state = fresh
        return self.state

    def _read(self) -> State:
        """The state now; the rate is that of the last seconds in which steps were made."""
        info, steps, now = self.run.info, tuple(self.run.steps()), monotonic()
        before = self._state
        if before is not None and len(steps) == len(before.steps):
            rate = None if info.ended else before.rate
            return replace(before, info=info, rate=rate, trouble="")
        self._looks.append((now, len(steps)))
        while len(self._looks) > 2 and now - self._looks[0][0] > WINDOW:
            self._looks.popleft()
        (then, first), rate = self._looks[0], None
        if info.status == Status.RUNNING and now > then:
            rate = (len(steps) - first) / (now - then)
        self._near = None
        self.taps = {(tap.tensor, tap.kind): tap for tap in self.run.taps()}
        recorded = tuple(self.run.recorded_steps())
        return State(info, steps, recorded, rate, origin=self.run.origin)

    def findings(self, state: State) -> tuple[Finding, ...]:
        """What `check` finds, worst first; looked for again when the run has gone on.

        It may take seconds, and may be asked for in threads.
        """
        from resnet_inspect.findings import check

        with self._judging:
            known = self._findings
            if known is None or known[0] != state.steps or known[1] != state.info.status:
                known = self._findings = state.steps, state.info.status, check(self.run)
            return known[2]

    def overview(self, state: State) -> Overview:
        """The content of the answer page; drawn together again when the run has gone on.

        It may take a second, and may be asked for in a thread.
        """
        from resnet_inspect import api

        known = self._overview
        if known is None or known[0] != state:
            known = self._overview = state, api.summarize(self.run, self.findings(state))
        return known[1]

    @cached_property
    def details(self) -> Details:
        """Answers about layers, ops and scopes."""
        return Details(self.graph, self.lineage)

    def prepare(self) -> Iterator[None]:
        """Work out beforehand, in parts of a moment each, what first keys would wait for."""
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
        """What was recorded of a layer, an op or a variable, in graph order."""
        if self._near is None:
            near: dict[str, list[Tap]] = {}
            self._near = near
            for tap in self.taps.values():
                for one in {tap.layer, tap.tensor, tap.tensor.rpartition(":")[0]}:
                    near.setdefault(one, []).append(tap)
        return self._near.get(name, [])

    def tap_of(self, ref: TensorRef, kind: str = "activation") -> Tap | None:
        """How a tensor was recorded, if it was."""
        return self.taps.get((str(ref), kind))

    def latest(self, tap: Tap) -> TensorSummary | None:
        """What a tensor held at the last recorded step; read once a step."""
        if not self.state.recorded:
            return None
        step = self.state.recorded[-1]
        known = self._latest.get(tap)
        if known is None or known[0] != step:
            known = self._latest[tap] = step, self.run.course(tap, step).get(step)
        return known[1]

    def close(self) -> None:
        """Let go of the file."""
        self.run.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - as Path.stat, but never raises for odd names
    except OSError:
        return None
    return found.st_dev, found.st_ino
