"""Re-traces a TensorFlow 1 function with larger settings, to find the sizes that depend on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import tensorflow as tf

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.tracers.tensorflow.failures.exceptions import failed_op
from resnet_inspect.tracers.tensorflow.model.model_retrace import RetraceResult, settings_to_retrace
from resnet_inspect.tracers.tensorflow.model.targets import Function
from resnet_inspect.tracers.tensorflow.sizes.retraces import TracedShapes, compared, seen
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import GraphTrace, trace_graph

CREATES_OPS_AT_IMPORT = "the file creates ops when it is imported. Create them in the function"


def graph_variations(
    function: Function, given: Sequence[InputSpec], file: str, trace: GraphTrace, seconds: float
) -> RetraceResult:
    """Trace the function again for each of its integer arguments, increased by 1.

    `seconds` is the time of the recorded trace, which limits the number of re-traces. A file that
    creates ops at import is not re-traced, because only its first graph contains them.
    """
    wanted = settings_to_retrace(function.integers, seconds)
    if not wanted:
        return RetraceResult()
    if trace.imported:
        return RetraceResult(failed=CREATES_OPS_AT_IMPORT)
    base = _retrace(function, given, file, {}, trace.described)
    variations = [
        compared(
            name,
            function.integers[name],
            function.integers[name] + 1,
            base,
            _retrace(function, given, file, {name: function.integers[name] + 1}, trace.described),
        )
        for name in wanted
    ]
    return RetraceResult(tuple(variations), frozenset(base.shapes))


def _retrace(
    function: Function,
    given: Sequence[InputSpec],
    file: str,
    changed: dict[str, Any],
    described: Mapping[str, Sequence[int | None]],
) -> TracedShapes:
    call = partial(function.call, **function.keywords | changed)
    with redirect_stdout(StringIO()):
        trace = trace_graph(call, given, file, tf.Graph(), again=True, described=described)
    failed = ""
    if trace.error is not None:
        failed = failed_op(trace.error) or "the model"
    shapes = {name: tuple(v.shape.as_list()) for name, v in trace.construction.variables.items()}
    conflicts = (*trace.failed_additions, *([failed] if failed else []))
    return seen(trace.construction.graph, shapes, conflicts, ended=bool(failed))
