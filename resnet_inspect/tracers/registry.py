"""Tracers by name, loaded on demand."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from resnet_inspect.config import Settings
from resnet_inspect.graph.crash import Crash
from resnet_inspect.tracers.contract import Journal, MissedTraining, ProgramObserver, Tracer

TRACERS = {
    "tutorial": "resnet_inspect.tracers.tensorflow.tutorial.source:TutorialSource",
    "function": "resnet_inspect.tracers.tensorflow.model.source:ModelSource",
    "graph code": "resnet_inspect.tracers.tensorflow.tf1.source:GraphCodeSource",
}
RECORDER = "resnet_inspect.tracers.tensorflow.fit.keras_recorder:KerasRecorder"
RUNS = "resnet_inspect.tracers.tensorflow.fit.keras_recorder:Runs"
CRASHES = "resnet_inspect.tracers.tensorflow.failures.crash:crash_of"
OBSERVER = "resnet_inspect.tracers.program_hooks:ProgramHooks"


def load(name: str) -> Tracer:
    """The tracer of that name; raises KeyError for an unknown one."""
    return cast(Tracer, _load(TRACERS[name]))


def load_runs(settings: Settings, journal: Callable[[], Journal]) -> Any:
    """The factory of a recorder's runs; `journal` makes the journal of each run."""
    return _load(RUNS)(settings, journal)


def load_recorder(runs: Any) -> Any:
    """A Keras callback that records `fit`; each model becomes one of `runs`."""
    return _load(RECORDER)(runs)


def load_observer(
    runs: Callable[[], Any], report: Callable[[MissedTraining], None]
) -> ProgramObserver:
    """The observer that records the trainings of a program; it loads no framework.

    `runs` is called at the first training, `report` for each training that is not recorded.
    """
    return cast(ProgramObserver, _load(OBSERVER)(runs, report))


def load_crash_recorder() -> Callable[[BaseException, int | None], Crash]:
    """The function that returns the crash of an exception, and of a training step or None.

    It loads TensorFlow.
    """
    return cast(Callable[[BaseException, int | None], Crash], _load(CRASHES))


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
