"""Runs a traced TensorFlow 1 graph once, in a session, as its author would have run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.tf1.graph_trace import GraphTrace

v1 = tf.compat.v1
# Scope of what gives variables their first values, apart from all that the user may have named.
AROUND = "resnet_inspect_around"
VARIABLES = (v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.LOCAL_VARIABLES)
Feeds = Sequence[tuple[Tensor, NDArray[Any]]]


def run_once(
    trace: GraphTrace, feeds: Feeds, fetched: Mapping[str, Tensor]
) -> tuple[dict[str, NDArray[Any]], dict[str, float]]:
    """Initialize the variables, then run what the function returned; the values of `fetched`, and
    those of the returned tensors that are single numbers, by their names.

    Raises what TensorFlow raises; ops have the names that they have in the trace.
    """
    running = joined(trace)
    found: dict[str, Any] = {name: _there(running, one) for name, one in fetched.items()}
    returned = [_there(running, one) for one in trace.returned]
    asked = [running.get_operation_by_name(one.name) for one in trace.asked]
    fed = {_there(running, tensor): array for tensor, array in feeds}
    config = v1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    with v1.Session(graph=running, config=config) as session:
        initialize(session, trace)
        values, numbers, _ = session.run([found, returned, asked], feed_dict=fed)
    single = {
        one.op.name: float(value)
        for one, value in zip(trace.returned, numbers, strict=True)
        if one.shape.rank == 0 and (one.dtype.is_floating or one.dtype.is_integer)
    }
    return values, single


def joined(trace: GraphTrace) -> Any:
    """One graph of the function's, under its own names, and of what lies around it."""
    running = tf.Graph()
    given = {tensor.name for tensor in trace.inputs.values()}
    with running.as_default():
        tf.graph_util.import_graph_def(trace.around.as_graph_def(), name=AROUND)
        places = {
            inside.name: running.get_tensor_by_name(f"{AROUND}/{outside.name}")
            for outside, inside in trace.made.graph.captures
            if inside.name not in given
        }
        definition = trace.made.graph.as_graph_def()
        tf.graph_util.import_graph_def(definition, input_map=places, name="")
    return running


def initialize(session: Any, trace: GraphTrace) -> None:
    """Give all variables and tables of a joined graph their first values."""
    collected = (trace.around.get_collection(name) for name in VARIABLES)
    held = {one.initializer.name for one in chain(trace.variables, *collected)}
    session.run([f"{AROUND}/{name}" for name in sorted(held)])
    session.run([one.name for one in _tables(trace)])


def _there(running: Any, tensor: Tensor) -> Tensor:
    return running.get_tensor_by_name(tensor.name)


def _tables(trace: GraphTrace) -> list[Any]:
    return list(trace.made.graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
