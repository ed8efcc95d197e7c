"""The interface between tracers and their callers: sources, journals and their data types."""

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
    """The result of building a network: the graph, up to the failure if there was one.

    `seconds` is the time the framework needed.
    """

    graph: Graph
    seconds: float
    failure: Failure | None = None


class TrainingFailed(Exception):
    """A step failed.

    `again` is the outcome of a second build with the sizes that were fed; None without a second
    build. Its graph replaces the first one.
    """

    def __init__(self, failure: Failure, again: Outcome | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.again = again


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a trace runs: the device name shown to the user, and versions by package."""

    device: str
    versions: dict[str, str]


class ModelNotBuilt(Exception):
    """The user's code failed in a call of the framework while it built the model."""

    def __init__(self, failure: Failure, environment: Environment) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.environment = environment


class Source(Protocol):
    """Makes the steps of one run. The framework is loaded and the device exists."""

    settings: Settings

    def record(self, journal: Journal) -> None:
        """Build the network, run its steps and write all of it to `journal`, including the end.

        Raises UsageError, before the journal is begun, if the settings do not fit the network;
        TrainingFailed, after the failure is written, if the network cannot be built or run.
        Other exceptions leave the journal open.
        """


class Tracer(Protocol):
    """Makes sources."""

    def __call__(self, settings: Settings, feed: Any) -> Source:
        """Load the framework and choose the device; raises UsageError and ModelNotBuilt.

        `feed` is `data.Batches` for the tutorial's network, `data.RandomInputs` for a user's
        model, or None if the model declares its own inputs.
        """


class Cause(StrEnum):
    """Why a training of a program is not recorded."""

    OTHER_BACKEND = "Keras on another backend"
    LEGACY_FIT = "a fit of tf_keras"
    SESSION = "a TensorFlow 1 session"
    EAGER_LOOP = "a loop that runs op by op"
    HIDDEN_LOOP = "a loop inside a tf.function"
    ELSEWHERE = "another Recorder"
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
    """Records the trainings of an unchanged program.

    It has one method for each package, which is called after the program has imported it.
    """

    def keras(self, module: ModuleType) -> None:
        """Keras 3."""

    def legacy_keras(self, module: ModuleType) -> None:
        """Keras 2, the package tf_keras."""

    def tensorflow(self, module: ModuleType) -> None:
        """TensorFlow."""

    def write_failure(self, error: BaseException) -> bool:
        """Write the exception that ended the program: to the runs that it ended, else to a new run.

        Returns True if a run contains the exception.
        """


class Journal(Protocol):
    """Where a source writes the run; made by `api`, `program` or a bench.

    Methods may be called again: a new graph replaces the previous one, and a step after the end
    continues the run.
    """

    def begin(self, name: str, settings: Settings, environment: Environment) -> None:
        """Begin the run; `name` is the author's name of the model or function."""

    def built(self, outcome: Outcome, lineage: Lineage) -> None:
        """Write the graph of the step, in place of an earlier one."""

    def step(self, record: StepRecord) -> None:
        """Write one step."""

    def end(self, reason: str = "", failure: Failure | None = None) -> None:
        """End the run: complete, interrupted for `reason`, or failed."""
