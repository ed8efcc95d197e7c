"""Measures speed and prints ratios: `make bench`. Informs, never fails a build."""

from __future__ import annotations

from typing import Any

# What was measured, the figure, the target.
Row = tuple[str, str, str]


class Built:
    """A journal that keeps the graph that it is given; see `contract.Journal`."""

    def __init__(self) -> None:
        self.outcome: Any = None
        self.lineage: Any = None

    def begin(self, *_: Any) -> None:
        """There is nothing to be made."""

    def built(self, outcome: Any, lineage: Any) -> None:
        """The graph of the step."""
        self.outcome, self.lineage = outcome, lineage

    def step(self, _: Any) -> None:
        """Nothing is kept of steps."""

    def end(self, *_: Any, **__: Any) -> None:
        """There is nothing to be closed."""


def built(**values: Any) -> tuple[Any, Any]:
    """The tutorial's step, traced but not run: the outcome and TensorFlow's own graph."""
    from resnet_inspect.config import Settings
    from resnet_inspect.data import Batches, load
    from resnet_inspect.tracers import registry

    settings = Settings.of(values)
    tutorial = settings.tutorial
    data = load(tutorial.data)
    batches = Batches(data, tutorial.batch_size, settings.seed, raw=tutorial.raw, training=True)
    source: Any = registry.load("tutorial")(settings, batches)
    journal = Built()
    run = source.prepare(journal)
    return journal.outcome, run.traces[-1].first.made.graph
