"""Measures speed and prints ratios: `make bench`. The figures are informative and never checked."""

from __future__ import annotations

from typing import Any

# The measured quantity, its value, its target.
Row = tuple[str, str, str]


class GraphJournal:
    """A journal that keeps only the graph and the lineage; see `contract.Journal`."""

    def __init__(self) -> None:
        self.outcome: Any = None
        self.lineage: Any = None

    def begin(self, *_: Any) -> None:
        """Do nothing."""

    def built(self, outcome: Any, lineage: Any) -> None:
        """Keep the graph of the step."""
        self.outcome, self.lineage = outcome, lineage

    def step(self, _: Any) -> None:
        """Ignore the step."""

    def end(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


def built(**values: Any) -> tuple[Any, Any]:
    """Trace the tutorial's step without running it; return the outcome and TensorFlow's graph."""
    from resnet_inspect.config import Settings
    from resnet_inspect.data import Batches, load
    from resnet_inspect.tracers import registry

    settings = Settings.of(values)
    tutorial = settings.tutorial
    data = load(tutorial.data)
    batches = Batches(data, tutorial.batch_size, settings.seed, raw=tutorial.raw, training=True)
    source: Any = registry.load("tutorial")(settings, batches)
    journal = GraphJournal()
    run = source.prepare(journal)
    return journal.outcome, run.traces[-1].first.made.graph
