"""What a tracer offers, and what it hands its findings to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Protocol

from resnet_inspect.config import Settings
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """What building came to: the graph, as far as it got, and why it failed if it did.

    `seconds` is the time the framework needed.
    """

    graph: Graph
    seconds: float
    failure: Failure | None = None


class TrainingFailed(Exception):
    """A step could not be run.

    `again` is what building came to with the sizes that were fed, if that was tried: its graph is
    to be kept instead.
    """

    def __init__(self, failure: Failure, again: Outcome | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.again = again


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a trace runs: the device as it will be named to the user, and versions by package."""

    device: str
    versions: dict[str, str]


class Source(Protocol):
    """What makes the steps of one run: the framework is loaded, the device is known to exist."""

    settings: Settings

    def record(self, journal: Journal) -> None:
        """Build, run and write it all to `journal`, from its beginning to its end.

        Raises a UsageError, before the journal is begun, where the settings do not fit what is
        built; TrainingFailed, once that is written, where it cannot be built or run. Other
        exceptions leave the journal open.
        """


class Tracer(Protocol):
    """Makes sources."""

    def __call__(self, settings: Settings, feed: Any) -> Source:
        """Load the framework and find the device; raises a UsageError. `feed` is what is fed:
        `data.Batches` for the tutorial's network; for a model of one's own `data.RandomInputs`,
        or None if it is to say itself what it takes.
        """


class Cause(StrEnum):
    """Why a training of a program is not recorded."""

    OTHER_BACKEND = "Keras on another backend"
    LEGACY_FIT = "a fit of tf_keras"
    SESSION = "a TensorFlow 1 session"
    EAGER_LOOP = "a loop that runs op by op"
    HIDDEN_LOOP = "a loop inside a tf.function"
    ELSEWHERE = "a Recorder of the program's own"
    TROUBLE = "a failure of the recorder"


@dataclass(frozen=True, slots=True)
class MissedTraining:
    """A training that is not recorded.

    `place` is file and line, or a detail of the cause; `function` the user's function.
    """

    cause: Cause
    place: str = ""
    function: str = ""


class ProgramObserver(Protocol):
    """Records the trainings of a program that knows nothing of it: one method for each package, to
    be called once the program has imported that.
    """

    def keras(self, module: ModuleType) -> None:
        """Keras 3."""

    def legacy_keras(self, module: ModuleType) -> None:
        """Keras 2, the package tf_keras."""

    def tensorflow(self, module: ModuleType) -> None:
        """TensorFlow."""

    def write_failure(self, error: BaseException) -> bool:
        """Write a failure that ended the program outside of a recorded training, if known."""


class Journal(Protocol):
    """Where a source writes the run; made by `api`, `program` or a bench.

    Calls may come again: a graph replaces the one before, and a run that was ended goes on with
    the next step.
    """

    def begin(self, name: str, settings: Settings, environment: Environment) -> None:
        """There is something to record; `name` is what the author calls the model or function."""

    def built(self, outcome: Outcome, lineage: Lineage) -> None:
        """The graph of the step, in place of an earlier one."""

    def step(self, record: StepRecord) -> None:
        """One step."""

    def end(self, reason: str = "", failure: Failure | None = None) -> None:
        """It is over: interrupted for `reason`, or failed."""
