"""Traces a function written for TensorFlow 1 in a graph like that of TensorFlow 1.

The function builds its own graph. Its variables are created in an outer graph, so that only their
handles are in the function's graph, as in the tutorial's network. The graph has no ops or control
edges that TensorFlow 1 would not create.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.lift_to_graph import lift_to_graph
from tensorflow.python.framework.func_graph import FuncGraph
from tensorflow.python.util import object_identity

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.model.model_calls import UserVariables
from resnet_inspect.tracers.tensorflow.tf1.graph_construction import GraphConstruction, OldGraph
from resnet_inspect.tracers.tensorflow.tf1.graph_phases import training_phases
from resnet_inspect.tracers.tensorflow.tf1.old_api import old_api

PLACEHOLDERS = ("Placeholder",)


@dataclass
class GraphTrace:
    """One trace of a function.

    Attributes:
        outer: The outer graph, which contains the variables.
        construction: The record of the function's own graph.
        inputs: The arguments of the function, then the placeholders that it created, by name.
        returned: The tensors that the function returned.
        operations: The operations that the function returned.
        error: The exception that ended the trace, if any.
        variables: The variables that the function created.
        imported: Whether the file created ops in the outer graph when it was imported.
        failed_additions: Names of additions that rejected their operands.
        described: Sizes of placeholders that the function creates without a shape, by name.
    """

    outer: Any
    construction: GraphConstruction
    inputs: dict[str, Tensor] = field(default_factory=dict)
    returned: list[Tensor] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    variables: list[tf.Variable] = field(default_factory=list)
    imported: bool = False
    failed_additions: tuple[str, ...] = ()
    described: Mapping[str, Sequence[int | None]] = field(default_factory=dict)


def trace_graph(
    call: Callable[..., Any],
    specs: Sequence[InputSpec],
    file: str,
    outer: Any,
    *,
    device: str = "/CPU:0",
    again: bool = False,
    described: Mapping[str, Sequence[int | None]] = MappingProxyType({}),
) -> GraphTrace:
    """Call a function of the user's `file` on placeholders for `specs`, until an error.

    Its variables are created in the graph `outer`. `again` is for re-traces, which compute shapes
    only: variables have no values, and an addition that rejects its operands is skipped.
    `described` are the sizes of placeholders that the function creates without a shape.
    """
    user_variables = UserVariables(values=not again)
    imported = bool(outer.get_operations())
    user_variables.keep(outer.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES))
    variables: list[tf.Variable] = []
    with outer.as_default(), user_variables.collected(), _outer_variables(outer, variables):
        graph = OldGraph("graph", forgiving=again, described=described)
        with graph.as_default():
            construction = GraphConstruction()
            trace = GraphTrace(
                outer, construction, variables=variables, imported=imported, described=described
            )
            for spec in specs:
                tensor = tf.compat.v1.placeholder(spec.dtype, spec.sizes, name=spec.name)
                trace.inputs[spec.name] = tensor
            try:
                with (
                    tf.device(device),
                    training_phases(construction),
                    old_api(file, construction.scopes.append),
                ):
                    returned = call(*trace.inputs.values())
                _add_returned(returned, trace)
            except (Exception, SystemExit) as error:
                trace.error = error
            user_variables.register(construction, construction.made_at, unread=True)
        trace.inputs |= _placeholders(construction, trace.inputs)
        trace.failed_additions = tuple(graph.failed_additions)
        construction.settle(list(trace.inputs.values()))
    return trace


def _add_returned(returned: Any, trace: GraphTrace) -> None:
    """Add the tensors and operations that the function returned to `trace`.

    Raises ValueError if they belong to another graph.
    """
    for value in tf.nest.flatten(returned, expand_composites=True):
        if not isinstance(value, tf.Operation | tf.Tensor):
            continue
        if value.graph is not trace.construction.graph:
            raise ValueError(
                "the returned tensors belong to another graph: build them in the default graph, "
                "not in a new tf.Graph()"
            )
        (trace.operations if isinstance(value, tf.Operation) else trace.returned).append(value)


@contextmanager
def _outer_variables(outer: Any, variables: list[tf.Variable]) -> Iterator[None]:
    """Make the body create resource variables with initial values in `outer`.

    The variables are appended to `variables`.
    """

    def creator(make: Callable[..., tf.Variable], **named: Any) -> tf.Variable:
        value = named.get("initial_value")
        if isinstance(value, tf.Tensor) and isinstance(value.graph, FuncGraph):
            named["initial_value"] = lambda: _copied(value, outer)
        # A cached value would be read in the outer graph, so that the reading op has no variable.
        variables.append(make(**named | {"use_resource": True, "caching_device": None}))
        return variables[-1]

    with tf.variable_creator_scope(creator):
        yield


def _copied(tensor: Tensor, graph: Any) -> Tensor:
    """Return a copy of a tensor of a function's graph in `graph`."""
    known = object_identity.ObjectIdentityDictionary()
    for outside, inside in tensor.graph.captures:
        known[inside] = outside
    with graph.as_default():
        copies = lift_to_graph([tensor], graph, base_graph=tensor.graph, op_map=known)
    return copies[tensor]


def _placeholders(construction: GraphConstruction, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the placeholders that the function, or its file at import, created, by name."""
    outside = {inside.op.name: outer.op for outer, inside in construction.graph.captures}
    others = {name for name, op in outside.items() if op.type not in PLACEHOLDERS}
    others |= {tensor.op.name for tensor in given.values()}
    return {
        outside.get(op.name, op).name.replace("/", "_"): op.outputs[0]
        for op in construction.graph.get_operations()
        if op.type in PLACEHOLDERS and op.name not in others
    }


def skipped_updates(trace: GraphTrace) -> str:
    """Describe the update ops, such as of batch normalization, that a run does not execute.

    Nothing that the function returned depends on these ops. Empty if there are none.
    """
    updates = trace.construction.graph.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    waiting = [*trace.operations, *(tensor.op for tensor in trace.returned)]
    reached: set[str] = set()
    while waiting:
        op = waiting.pop()
        if op.name not in reached:
            reached.add(op.name)
            waiting += [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    skipped = [op for op in updates if op.name not in reached]
    if not skipped:
        return ""
    return f"{len(skipped)} of {len(updates)} update ops were not run, such as {skipped[0].name}"
