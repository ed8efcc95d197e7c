"""The tracers by name, loaded on demand."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from resnet_inspect.tracers.contract import Tracer

TRACERS = {
    "tutorial": "resnet_inspect.tracers.tensorflow.tutorial:TutorialSession",
    "function": "resnet_inspect.tracers.tensorflow.functions:FunctionSession",
}


def load(name: str) -> Tracer:
    """The tracer of that name; raises KeyError for an unknown one."""
    module, _, attribute = TRACERS[name].partition(":")
    return cast(Tracer, getattr(import_module(module), attribute))
