"""Marks every test in this folder and builds small networks for the tests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches, load
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Environment, Outcome, TrainingFailed

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before those without TensorFlow are chosen
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.tensorflow)


class JournalInMemory:
    """A journal that keeps the outcome, the steps and the end."""

    def __init__(self) -> None:
        self.outcome = Outcome(Graph(ops=()), 0.0)
        self.lineage = Lineage()
        self.steps: list[StepRecord] = []
        self.ended: tuple[str, Failure | None] | None = None

    def begin(self, name: str, settings: Settings, environment: Environment) -> None:
        """See `contract.Journal`."""

    def built(self, outcome: Outcome, lineage: Lineage) -> None:
        """See `contract.Journal`."""
        self.outcome, self.lineage = outcome, lineage

    def step(self, record: StepRecord) -> None:
        """See `contract.Journal`."""
        self.steps.append(record)

    def end(self, reason: str = "", failure: Failure | None = None) -> None:
        """See `contract.Journal`."""
        self.ended = reason, failure


class Session:
    """A training of the tutorial's network that is built and run in parts."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.journal = JournalInMemory()

    def build(self) -> Outcome:
        """Trace the step. The outcome contains the failure if the network cannot be built."""
        with suppress(TrainingFailed):
            self.source.prepare(self.journal)
        assert (self.journal.outcome.failure is None) is (self.journal.ended is None)
        return self.journal.outcome

    def explain(self) -> Lineage:
        """The origins of the sizes."""
        if self.journal.outcome.failure is None:
            self.source._run.explain()
        return self.journal.lineage

    def step(self, number: int) -> StepRecord:
        """Run one step."""
        record: StepRecord = self.source.step(number)
        return record

    def run(self, sink: Callable[[StepRecord], None]) -> None:
        """Run all steps."""
        for number in range(self.source.settings.planned):
            sink(self.step(number))

    @property
    def settings(self) -> Settings:
        settings: Settings = self.source.settings
        return settings

    @property
    def graph(self) -> Graph:
        """The captured graph."""
        return self.journal.outcome.graph

    @property
    def variables(self) -> dict[str, Any]:
        """The network's variables by name."""
        variables: dict[str, Any] = self.source.variables
        return variables

    @property
    def batches(self) -> Any:
        """The batches that are fed to the network."""
        return self.source._batches

    def feed(self, batches: Any) -> None:
        """Feed other batches, and search for the origin of a bad value again."""
        self.source._batches, self.source._origin_searched = batches, False


def session(**changes: Any) -> Session:
    """A training of a small network: n=1, batch 8, 2 steps, unless changed."""
    from resnet_inspect.tracers import registry

    settings = Settings.of({"n": 1, "batch_size": 8, "steps": 2} | changes)
    training = settings.tutorial.mode == "train"
    how: dict[str, Any] = {
        "size": settings.tutorial.batch_size,
        "seed": settings.seed,
        "raw": settings.tutorial.raw,
    }
    held_out = Batches(load(settings.tutorial.data, training=False), training=False, **how)
    batches = Batches(
        load(settings.tutorial.data),
        training=training,
        evaluation=held_out if settings.evaluates(settings.steps - 1) else None,
        **how,
    )
    return Session(registry.load("tutorial")(settings, batches))


@dataclass
class SessionResult:
    """The graph and the steps of a complete session."""

    graph: Graph
    steps: list[StepRecord]


@cache
def traced(**changes: Any) -> SessionResult:
    """The result of a session of a small network, run to its end once a process."""
    return trained(**changes)


def trained(**changes: Any) -> SessionResult:
    """Build and run a session of a small network to its end."""
    training = session(**changes)
    result = SessionResult(training.build().graph, [])
    training.run(result.steps.append)
    return result
