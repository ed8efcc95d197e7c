"""What a tracer offers, and what it hands its findings to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.stats import StepRecord


class Sink(Protocol):
    """Takes what a trace sees, in this order: one graph, then one record a step."""

    def graph(self, graph: Graph, seconds: float) -> None:
        """Take the captured graph; `seconds` is the time the framework needed to build it."""

    def step(self, record: StepRecord) -> None:
        """Take one step."""


class TraceFailed(Exception):
    """The model could not be built or trained; the graph so far went to the sink before this."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a trace runs: the device as it will be named to the user, and versions by package."""

    device: str
    versions: dict[str, str]


class Session(Protocol):
    """One prepared trace: the framework is loaded and the device is known to exist."""

    environment: Environment

    def run(self, sink: Sink) -> None:
        """Build and train, handing everything to `sink`. Raises TraceFailed."""


class Tracer(Protocol):
    """Makes sessions. Everything that can be refused is refused here, before a run file exists."""

    def __call__(self, settings: Settings, batches: Batches) -> Session:
        """Load the framework and check the settings against it; raises a UsageError."""
