"""Writes the run file of a training that somebody else runs: what a recorder hands on.

The other place, beside `api`, where a tracer meets the store.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_inspect.config import Settings
from resnet_inspect.graph import Failure
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.store import catalogue
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.writer import RunWriter, now
from resnet_inspect.tracers.contract import Environment, Outcome


class RunJournal:
    """See `contract.Journal`. The file is made when there is something to record; `path` is None
    until then where no place was given.
    """

    def __init__(self, path: Path | None, *, force: bool = False) -> None:
        self.path = path
        self._force = force
        self._writer: RunWriter | None = None
        self._open = False
        self._steps = 0

    @property
    def begun(self) -> bool:
        """Whether there is a run file."""
        return self._writer is not None

    def begin(self, network: str, settings: Settings, environment: Environment) -> None:
        """Make the run file, or go on with it."""
        if self._writer is not None:
            self._resume(settings)
            return
        self.path = self.path or catalogue.fresh_name(network)
        info = RunInfo(
            network=network,
            settings=settings,
            device=environment.device,
            versions=environment.versions,
            created=now(),
            writer=Writer.current(),
        )
        self._writer = RunWriter.create(self.path, info, force=self._force)
        self._open = True

    def _resume(self, settings: Settings | None = None) -> RunWriter:
        if self._writer is None:
            raise RuntimeError("a run is begun before it is written to")
        if not self._open:
            self._writer = RunWriter.resume(self._writer)
            self._open = True
        if settings is not None:
            self._writer.plan(settings)
        return self._writer

    def built(self, outcome: Outcome, lineage: Lineage) -> None:
        """Keep the graph of the step, in place of an earlier one."""
        writer = self._resume()
        writer.graph(outcome.graph, outcome.seconds)
        writer.lineage(lineage)

    def step(self, record: StepRecord) -> None:
        """Keep one step."""
        self._resume().step(record)
        self._steps += 1

    def end(self, reason: str = "", failure: Failure | None = None) -> None:
        """Say how it ended, unless that was said; the plan becomes what was done."""
        if not self._open or self._writer is None:
            return
        writer, self._open = self._writer, False
        done = msgspec.structs.replace(writer.info.settings, steps=self._steps)
        if failure is None and not reason:
            writer.plan(done)
        status = Status.FAILED if failure else Status.INTERRUPTED if reason else Status.COMPLETE
        writer.finish(status, reason=reason, failure=failure)
