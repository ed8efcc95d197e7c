"""Records a model without a training, or a TensorFlow 1 function: built, then run once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import BatchPart, StepRecord
from resnet_inspect.tracers.contract import Environment, Journal, Outcome, TrainingFailed

NO_SUMMARIES = (
    "no values recorded: the selected ops have no numeric outputs. Select others with --taps"
)


def parts_of(specs: Sequence[InputSpec], arrays: Sequence[NDArray[Any]]) -> dict[str, BatchPart]:
    """Return the statistics of the inputs with a batch axis, by name. Texts count as numbers."""
    return {
        spec.name: BatchPart.of(
            np.unique(array, return_inverse=True)[1].reshape(array.shape)
            if array.dtype == object
            else array
        )
        for spec, array in zip(specs, arrays, strict=True)
        if array.ndim
    }


class SingleRun(Protocol):
    """A source whose methods `build`, `explain` and `run` are called once, in this order."""

    settings: Settings
    environment: Environment

    def build(self) -> Outcome:
        """Build the graph, until an error. Raises UsageError for invalid settings."""

    def explain(self) -> Lineage:
        """Return the origins of sizes in the last built graph, also if its construction failed."""

    def run(self) -> StepRecord:
        """Run the built graph. Raises TrainingFailed."""


def record_once(source: SingleRun, journal: Journal) -> None:
    """Build and run `source`, and write the results to `journal`; see `contract.Source.record`."""
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
