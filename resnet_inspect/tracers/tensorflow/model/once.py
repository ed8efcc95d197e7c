"""Records what is built and then run once: a model without a training, a TensorFlow 1 function."""

from __future__ import annotations

from typing import Protocol

from resnet_inspect.config import Settings
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.contract import Environment, Journal, Outcome, TrainingFailed


class Once(Protocol):
    """What is built, explained and run, in this order, each once."""

    settings: Settings
    environment: Environment

    def build(self) -> Outcome:
        """Build the graph, as far as it goes. Raises a UsageError where the settings do not fit."""

    def explain(self) -> Lineage:
        """Where the sizes in what was built last come from; also of one that failed."""

    def run(self) -> StepRecord:
        """Run what was built. Raises TrainingFailed."""


def record_once(source: Once, journal: Journal) -> None:
    """Write to `journal` what `source` comes to; see `contract.Source.record`."""
    built = source.build()
    journal.begin(source.settings.network, source.settings, source.environment)
    journal.built(built, source.explain())
    if built.failure is not None:
        journal.end(failure=built.failure)
        raise TrainingFailed(built.failure)
    try:
        journal.step(source.run())
    except TrainingFailed as outcome:
        if outcome.again is not None:
            journal.built(outcome.again, source.explain())
        journal.end(failure=outcome.failure)
        raise
    journal.end()
