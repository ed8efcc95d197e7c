"""Traces any function of tensors: graph, lineage, and the explanation of a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.axis_links import trace_lineage
from resnet_inspect.tracers.tensorflow.capture import capture
from resnet_inspect.tracers.tensorflow.construction import Construction
from resnet_inspect.tracers.tensorflow.failures import REFUSALS, describe
from resnet_inspect.tracers.tensorflow.postmortem import examine


@dataclass(frozen=True)
class Input:
    """A tensor fed to a function: its shape (None for an unknown size) and what its axes mean."""

    shape: tuple[int | None, ...]
    axes: tuple[str, ...] = ()
    dtype: str = "float32"


def trace_function(
    function: Callable[..., Any],
    inputs: Mapping[str, Input],
    variables: Mapping[str, tf.Variable] | None = None,
) -> tuple[Outcome, Lineage]:
    """Trace `function`, called with a tensor for each of `inputs` in order, as far as it goes.

    `variables` are those it uses, by the names to tell them by.
    """
    made: list[Construction] = []
    tensors: dict[str, Any] = {}

    def body(*arguments: Any) -> Any:
        made.append(Construction(0, dict(variables or {})))
        tensors.update(zip(inputs, arguments, strict=True))
        return function(*arguments)

    start = time.perf_counter()
    failure = error = None
    specs = [tf.TensorSpec(one.shape, one.dtype, name) for name, one in inputs.items()]
    try:
        tf.function(body, autograph=False).get_concrete_function(*specs)
    except REFUSALS as refusal:
        failure, error = describe(refusal, "tracing the function"), refusal
    seconds = time.perf_counter() - start
    if not made:
        return Outcome(Graph(ops=()), seconds, failure), Lineage()
    axes = {name: one.axes for name, one in inputs.items()}
    graph = capture(made[0], made[0].position(), tensors, axes=axes)
    lineage = trace_lineage(made[0].graph, graph)
    if error is not None:
        mismatch = examine(error, graph, made[0].variables)
        lineage = msgspec.structs.replace(lineage, mismatch=mismatch)
    return Outcome(graph, seconds, failure), lineage
