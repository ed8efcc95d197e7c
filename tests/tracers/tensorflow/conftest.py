"""Marks every test in this folder, and builds small networks for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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


class Kept:
    """A journal that keeps what it is given."""

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
        self.kept = Kept()

    def build(self) -> Outcome:
        """Trace the step; a network that cannot be built is told in what is returned."""
        with suppress(TrainingFailed):
            self.source.prepare(self.kept)
        assert (self.kept.outcome.failure is None) is (self.kept.ended is None)
        return self.kept.outcome

    def explain(self) -> Lineage:
        """Where the sizes come from."""
        if self.kept.outcome.failure is None:
            self.source._run.explain()
        return self.kept.lineage

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
        """Its settings."""
        settings: Settings = self.source.settings
        return settings

    @property
    def graph(self) -> Graph:
        """What was captured."""
        return self.kept.outcome.graph

    @property
    def variables(self) -> dict[str, Any]:
        """The network's variables by name."""
        variables: dict[str, Any] = self.source.variables
        return variables

    @property
    def batches(self) -> Any:
        """What it is fed."""
        return self.source._batches

    def fed(self, batches: Any) -> None:
        """Feed it something else; an origin is looked for again."""
        self.source._batches, self.source._origin_told = batches, False


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
    held = Batches(load(settings.tutorial.data, training=False), training=False, **how)
    batches = Batches(
        load(settings.tutorial.data),
        training=training,
        evaluation=held if settings.evaluates(settings.steps - 1) else None,
        **how,
    )
    return Session(registry.load("tutorial")(settings, batches))


@dataclass
class Traced:
    """All that a session gave."""

    graph: Graph
    steps: list[StepRecord]


def traced(**changes: Any) -> Traced:
    """Build and run a session of a small network to its end."""
    made = session(**changes)
    kept = Traced(made.build().graph, [])
    made.run(kept.steps.append)
    return kept
