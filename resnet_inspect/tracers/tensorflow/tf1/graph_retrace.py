"""Which settings of a TensorFlow 1 function move which sizes: traced again with one changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import tensorflow as tf

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.model.model_retrace import Retraced, affordable
from resnet_inspect.tracers.tensorflow.model.targets import Function
from resnet_inspect.tracers.tensorflow.sizes.retraces import Traced, compared, seen
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import GraphTrace, trace_graph


def graph_variations(
    function: Function, given: Sequence[InputSpec], file: str, trace: GraphTrace, seconds: float
) -> Retraced:
    """Call the function again for each of its whole numbers, each one larger, as far as `seconds`,
    what `trace` took, allow.

    A file that makes ops when it is imported, which only its first graph holds, is left alone.
    """
    wanted = affordable(function.integers, seconds)
    if not wanted:
        return Retraced()
    if trace.imported:
        return Retraced(refused="the file builds a part of its graph when it is imported")
    base = _again(function, given, file, {})
    varied = [
        compared(
            name,
            function.integers[name],
            function.integers[name] + 1,
            base,
            _again(function, given, file, {name: function.integers[name] + 1}),
        )
        for name in wanted
    ]
    return Retraced(tuple(varied), frozenset(base.shapes))


def _again(
    function: Function, given: Sequence[InputSpec], file: str, changed: dict[str, Any]
) -> Traced:
    call = partial(function.call, **function.keywords | changed)
    with redirect_stdout(StringIO()):
        trace = trace_graph(call, given, file, tf.Graph(), again=True)
    refused = ""
    if trace.error is not None:
        refused = describe(trace.error, "tracing again").op or "the model"
    shapes = {name: tuple(one.shape.as_list()) for name, one in trace.made.variables.items()}
    conflicts = (*trace.passed_over, *([refused] if refused else []))
    return seen(trace.made.graph, shapes, conflicts, ended=bool(refused))
