"""Records the calls of TensorFlow's and Keras' functions in the traceback of a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.graph import crash as records
from resnet_inspect.tracers.frame_locals import locals_of
from resnet_inspect.tracers.full_tracebacks import Entry
from resnet_inspect.tracers.tensorflow.failures.calls import WRAPPER, Call, source_name
from resnet_inspect.tracers.tensorflow.failures.frames import arguments_of
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder

FRAMEWORKS = tuple(f"{Path(str(module.__file__)).parent}{os.sep}" for module in (tf, keras))
INNERMOST = 8  # frames of a framework above the exception that are recorded
MOST_CALLS = 60
INSIDE_A_SESSION = "BaseSession._"  # methods that repeat the arguments of BaseSession.run
ENTRIES = {
    "fit": "fit",
    "train_on_batch": "fit",
    "evaluate": "evaluate",
    "test_on_batch": "evaluate",
    "predict": "predict",
    "predict_on_batch": "predict",
}


def is_framework(entry: Entry) -> bool:
    """Return whether a frame belongs to TensorFlow or Keras."""
    return entry.frame.f_code.co_filename.startswith(FRAMEWORKS)


def during(entries: Sequence[Entry]) -> str:
    """Return the outermost entry of the frameworks: `fit`, `predict`, `session`, or ""."""
    for entry in filter(is_framework, entries):
        code = entry.frame.f_code
        if code.co_name in ENTRIES and "trainer" in code.co_filename.rpartition(os.sep)[2]:
            return ENTRIES[code.co_name]
        if code.co_qualname == "BaseSession.run":
            return "session"
        if code.co_qualname == "Function.__call__" and "polymorphic" in code.co_filename:
            return "function"
    return ""


def framework_calls(
    entries: Sequence[Entry],
    frame_numbers: Sequence[int],
    record: ValueRecorder,
    layers: LayerRecorder,
) -> tuple[records.Call, ...]:
    """Return the calls that matter, outermost first.

    They are those that the user's code makes, the calls of layers, losses and metrics, of public
    functions on tensors, and the innermost ones. `frame_numbers` has for each entry the number of
    the user's frame around it.
    """
    calls: list[records.Call] = []
    innermost = {id(entry.frame) for entry in entries[-INNERMOST:]}
    for at in reversed(range(len(entries))):
        entry = entries[at]
        if not is_framework(entry):
            continue
        code = entry.frame.f_code
        local = locals_of(entry.frame)
        if code.co_name == WRAPPER:
            call = _public(local, record, frame_numbers[at])
            if call is not None:
                calls.append(call)
            continue
        by_user = at > 0 and frame_numbers[at - 1] >= 0 and not is_framework(entries[at - 1])
        layer = local.get("self")
        of_layer = code.co_name == "__call__" and isinstance(
            layer, keras.Operation | keras.Loss | keras.Metric
        )
        if code.co_qualname.startswith(INSIDE_A_SESSION):
            continue
        if by_user or of_layer or id(entry.frame) in innermost or code.co_name in ENTRIES:
            # Without a frame of the user's, the call and what it fetches are those of a trace.
            left_out = ("fetches",) if frame_numbers[at] < 0 else ()
            is_layer = code.co_name == "__call__" and isinstance(layer, keras.Operation)
            calls.append(
                records.Call(
                    function=code.co_qualname,
                    arguments=arguments_of(entry.frame, record, left_out),
                    layer=layers.number(layer) if is_layer else -1,
                    frame=frame_numbers[at],
                )
            )
    calls.reverse()
    return tuple(calls if len(calls) <= MOST_CALLS else [*calls[:10], *calls[10 - MOST_CALLS :]])


def _public(local: dict[str, Any], record: ValueRecorder, frame: int) -> records.Call | None:
    """Return a call of a public function of TensorFlow from its wrapper's frame.

    The wrapper of a layer is left out, because the layer's own frame follows.
    """
    if not {"fn", "args", "kwargs"} <= set(local):
        return None
    module = str(getattr(local["fn"], "__module__", ""))
    if module.startswith("keras"):
        return None
    call = Call(local["fn"], tuple(local["args"]), dict(local["kwargs"]))
    bound = call.bound()
    if not bound and call.arguments:
        bound = {str(at): value for at, value in enumerate(call.arguments)}
    arguments = {name: record(value, name) for name, value in bound.items() if name != "name"}
    return records.Call(source_name(call), arguments, frame=frame)
