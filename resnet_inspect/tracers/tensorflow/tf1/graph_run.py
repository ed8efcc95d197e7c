"""Runs a traced TensorFlow 1 graph once in a session, as TensorFlow 1 would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.failures.tensors import ORIGINAL
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import GraphTrace

v1 = tf.compat.v1
# Scope of the ops that initialize variables, which no name of the user's should match.
OUTER_SCOPE = "resnet_inspect_around"
VARIABLES = (v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.LOCAL_VARIABLES)
Feeds = Sequence[tuple[Tensor, NDArray[Any]]]


def run_once(
    trace: GraphTrace, feeds: Feeds, fetched: Mapping[str, Tensor]
) -> tuple[dict[str, NDArray[Any]], dict[str, float]]:
    """Initialize the variables, then run the tensors and operations that the function returned.

    Ops have the same names as in the trace, also in errors that TensorFlow raises.

    Returns:
        The values of `fetched`, and the returned scalars by op name.
    """
    graph = joined_graph(trace)
    taps: dict[str, Any] = {name: _in_graph(graph, tensor) for name, tensor in fetched.items()}
    returned = [_in_graph(graph, tensor) for tensor in trace.returned]
    operations = [graph.get_operation_by_name(op.name) for op in trace.operations]
    feed_dict = {_in_graph(graph, tensor): array for tensor, array in feeds}
    config = v1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    with v1.Session(graph=graph, config=config) as session:
        initialize(session, trace)
        values, results, _ = session.run([taps, returned, operations], feed_dict=feed_dict)
    scalars = {
        tensor.op.name: float(value)
        for tensor, value in zip(trace.returned, results, strict=True)
        if tensor.shape.rank == 0 and (tensor.dtype.is_floating or tensor.dtype.is_integer)
    }
    return values, scalars


def joined_graph(trace: GraphTrace) -> Any:
    """Return one graph of the function's ops, with unchanged names, and of the outer graph."""
    graph = tf.Graph()
    inputs = {tensor.name for tensor in trace.inputs.values()}
    with graph.as_default():
        tf.graph_util.import_graph_def(trace.outer.as_graph_def(), name=OUTER_SCOPE)
        captured = {
            inside.name: graph.get_tensor_by_name(f"{OUTER_SCOPE}/{outside.name}")
            for outside, inside in trace.construction.graph.captures
            if inside.name not in inputs
        }
        definition = trace.construction.graph.as_graph_def()
        tf.graph_util.import_graph_def(definition, input_map=captured, name="")
    setattr(graph, ORIGINAL, partial(_original, trace))
    return graph


def _original(trace: GraphTrace, op: tf.Operation) -> tf.Operation:
    """Return the op of the traced graphs that an op of the joined graph copies."""
    name = op.name.removeprefix(f"{OUTER_SCOPE}/")
    graph = trace.construction.graph if name == op.name else trace.outer
    try:
        return graph.get_operation_by_name(name)
    except KeyError:
        return op


def initialize(session: Any, trace: GraphTrace) -> None:
    """Initialize all variables and tables of a joined graph."""
    collected = (trace.outer.get_collection(name) for name in VARIABLES)
    initializers = {variable.initializer.name for variable in chain(trace.variables, *collected)}
    session.run([f"{OUTER_SCOPE}/{name}" for name in sorted(initializers)])
    session.run([initializer.name for initializer in _tables(trace)])


def _in_graph(graph: Any, tensor: Tensor) -> Tensor:
    """Return the tensor with the same name in another graph."""
    return graph.get_tensor_by_name(tensor.name)


def _tables(trace: GraphTrace) -> list[Any]:
    return list(trace.construction.graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
