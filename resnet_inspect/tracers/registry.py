"""The tracers by name, loaded on demand."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from resnet_inspect.config import Settings
from resnet_inspect.tracers.contract import Journal, Tracer

TRACERS = {
    "tutorial": "resnet_inspect.tracers.tensorflow.tutorial:TutorialSession",
    "function": "resnet_inspect.tracers.tensorflow.functions:FunctionSession",
    "graph code": "resnet_inspect.tracers.tensorflow.graph_code:GraphCodeSession",
}
RECORDER = "resnet_inspect.tracers.tensorflow.keras_recorder:KerasRecorder"


def load(name: str) -> Tracer:
    """The tracer of that name; raises KeyError for an unknown one."""
    return cast(Tracer, _load(TRACERS[name]))


def load_recorder() -> Callable[[Settings, Journal], Any]:
    """What makes a Keras callback that records `fit`, from settings and where it writes to."""
    return cast(Callable[[Settings, Journal], Any], _load(RECORDER))


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
