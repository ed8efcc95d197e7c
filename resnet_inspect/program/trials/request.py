"""What a trial runs, and what it reports. Both are written as JSON into the folder of the trial."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from resnet_inspect.graph.crash import Crash
from resnet_inspect.tracers.progress import CallPlace, Counts

REQUEST, RESULT, COUNTS, OUTPUT = "request.json", "result.json", "counts.json", "output.txt"
T = TypeVar("T", bound=msgspec.Struct)


class Landmark(msgspec.Struct, frozen=True):
    """The span of the statement that failed, in the text that runs; columns in UTF-8 bytes."""

    file: str
    start: tuple[int, int]
    end: tuple[int, int]


class Invocation(msgspec.Struct, frozen=True):
    """A script, or with `module` a module, with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()
    module: bool = False


class Isolation(StrEnum):
    """How the files of the user's folders are protected.

    LAYER: a file system above the folder takes the changes. COPY: the script runs in a copy of the
    folder. NONE: it runs in the folder itself.
    """

    LAYER = "layer"
    COPY = "copy"
    NONE = "none"


class Space(msgspec.Struct, frozen=True):
    """Where a trial runs.

    Attributes:
        isolation: how files are protected.
        folder: the user's working folder.
        run_folder: the working folder of the trial: a copy of `folder`, or `folder` itself.
        layered: the folders whose changes go into a layer.
    """

    isolation: Isolation
    folder: str
    run_folder: str
    layered: tuple[str, ...] = ()


class TrialRequest(msgspec.Struct, frozen=True):
    """A run of a program.

    Attributes:
        program: the script and its arguments.
        space: where it runs.
        texts: the text that runs in place of a file, by the path of the file.
        landmarks: the statements that failed, the outermost first.
        failure: the call in which the program failed, None in the first run.
        steps: how many steps past the failure end the trial.
    """

    program: Invocation
    space: Space
    texts: dict[str, bytes] = {}
    landmarks: tuple[Landmark, ...] = ()
    failure: CallPlace | None = None
    steps: int = 3


class Ending(StrEnum):
    """How a run ended. ENOUGH: enough steps past the failure. DIED: by a signal."""

    ENDED = "ended"
    ENOUGH = "enough steps"
    RAISED = "exception"
    EXITED = "exit code"
    USAGE = "usage"  # the program cannot be started
    TIME = "time limit"
    MEMORY = "memory limit"
    OUTPUT = "output limit"
    DIED = "signal"


class TrialResult(msgspec.Struct, frozen=True):
    """What the process of a trial reports.

    Attributes:
        ending: how it ended.
        code: its exit code.
        counts: what it did.
        place: the call that the exception ended.
        crash: the exception.
        error: why the program cannot be started, as the arguments of a UsageError.
        frameworks: the frameworks that it imported.
        environment: the variables of TensorFlow and Keras that it set.
    """

    ending: Ending
    code: int = 0
    counts: Counts = msgspec.field(default_factory=Counts)
    place: CallPlace = CallPlace()
    crash: Crash | None = None
    error: dict[str, str] = {}
    frameworks: tuple[str, ...] = ()
    environment: dict[str, str] = {}


def write(folder: Path, name: str, value: msgspec.Struct) -> None:
    """Write a value into the folder of a trial, completely or not at all."""
    part = folder / f"{name}.part"
    part.write_bytes(msgspec.json.encode(value))
    part.replace(folder / name)


def read(folder: Path, name: str, kind: type[T]) -> T | None:
    """Read a value from the folder of a trial, None if it was not written."""
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except FileNotFoundError:
        return None
