"""Traces a function written for TensorFlow 1 in a graph as it knew them.

The function runs in a graph of its own; the variables it makes lie in another, around it, and show
in it as their handles alone, as in the built-in network. Nothing is added that TensorFlow 1 had
not: no control edge but those that the function asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.lift_to_graph import lift_to_graph
from tensorflow.python.framework.func_graph import FuncGraph
from tensorflow.python.util import object_identity

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.tracers.tensorflow.capture.construction import Tensor
from resnet_inspect.tracers.tensorflow.model.model_calls import OwnVariables
from resnet_inspect.tracers.tensorflow.tf1.graph_construction import GraphConstruction, OldGraph
from resnet_inspect.tracers.tensorflow.tf1.graph_phases import noted_training
from resnet_inspect.tracers.tensorflow.tf1.old_api import old_api

PLACEHOLDERS = ("Placeholder",)


@dataclass
class GraphTrace:
    """One trace: `around` holds the variables, `made` the function's own graph.

    `inputs` by name are the tensors that it was given, then the placeholders it made itself;
    `returned` and `asked` the tensors and operations it returned. `error` ended it, if there was
    one. `imported` says that the file had made ops around it before; `passed_over` are additions
    that refused their operands.
    """

    around: Any
    made: GraphConstruction
    inputs: dict[str, Tensor] = field(default_factory=dict)
    returned: list[Tensor] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    variables: list[tf.Variable] = field(default_factory=list)
    imported: bool = False
    passed_over: tuple[str, ...] = ()


def trace_graph(
    call: Callable[..., Any],
    specs: Sequence[InputSpec],
    file: str,
    around: Any,
    *,
    device: str = "/CPU:0",
    again: bool = False,
) -> GraphTrace:
    """Call a function of the user's `file` on inputs of these specs, as far as that goes; its
    variables are made in the graph `around`.

    `again` is for shapes alone: variables get no values of their own, and an addition that refuses
    its operands is passed over.
    """
    own = OwnVariables(values=not again)
    imported = bool(around.get_operations())
    own.keep(around.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES))
    variables: list[tf.Variable] = []
    with around.as_default(), own.collected(), _lifted(around, variables):
        graph = OldGraph("graph", forgiving=again)
        with graph.as_default():
            made = GraphConstruction()
            found = GraphTrace(around, made, variables=variables, imported=imported)
            for spec in specs:
                tensor = tf.compat.v1.placeholder(spec.dtype, spec.sizes, name=spec.name)
                found.inputs[spec.name] = tensor
            try:
                with tf.device(device), noted_training(made), old_api(file, made.scopes.append):
                    returned = call(*found.inputs.values())
                _sort(returned, found)
            except (Exception, SystemExit) as error:
                found.error = error
            own.name_rest(made, made.made_at, unread=True)
        found.inputs |= _placeholders(made, found.inputs)
        found.passed_over = tuple(graph.passed_over)
        made.settle(list(found.inputs.values()))
    return found


def _sort(returned: Any, found: GraphTrace) -> None:
    """Tell tensors from operations in what the function returned; raises ValueError for those of
    another graph.
    """
    for one in tf.nest.flatten(returned, expand_composites=True):
        if not isinstance(one, tf.Operation | tf.Tensor):
            continue
        if one.graph is not found.made.graph:
            raise ValueError(
                "what is returned lies in another graph: the function must build in the default "
                "graph, not in a tf.Graph() of its own"
            )
        (found.asked if isinstance(one, tf.Operation) else found.returned).append(one)


@contextmanager
def _lifted(around: Any, made: list[tf.Variable]) -> Iterator[None]:
    """Variables made in the body hold resources, what they begin with is made in `around`, and
    `made` is told of them.
    """

    def creator(make: Callable[..., tf.Variable], **named: Any) -> tf.Variable:
        value = named.get("initial_value")
        if isinstance(value, tf.Tensor) and isinstance(value.graph, FuncGraph):
            named["initial_value"] = lambda: _copied(value, around)
        # A cached value would be read around the graph, and the op that takes it would not tell.
        made.append(make(**named | {"use_resource": True, "caching_device": None}))
        return made[-1]

    with tf.variable_creator_scope(creator):
        yield


def _copied(tensor: Tensor, graph: Any) -> Tensor:
    """A tensor of a function's graph, made again around it."""
    known = object_identity.ObjectIdentityDictionary()
    for outside, inside in tensor.graph.captures:
        known[inside] = outside
    with graph.as_default():
        made = lift_to_graph([tensor], graph, base_graph=tensor.graph, op_map=known)
    return made[tensor]


def _placeholders(made: GraphConstruction, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The placeholders that the function made itself, by their names, and those that its file made
    when it was imported.
    """
    outside = {inside.op.name: around.op for around, inside in made.graph.captures}
    held = {name for name, op in outside.items() if op.type not in PLACEHOLDERS}
    held |= {tensor.op.name for tensor in given.values()}
    return {
        outside.get(op.name, op).name.replace("/", "_"): op.outputs[0]
        for op in made.graph.get_operations()
        if op.type in PLACEHOLDERS and op.name not in held
    }


def left_out_updates(trace: GraphTrace) -> str:
    """The update ops (of batch normalization) that nothing waits for which the function returned,
    in words; empty if there are none.
    """
    updates = trace.made.graph.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    waiting = [*trace.asked, *(tensor.op for tensor in trace.returned)]
    reached: set[str] = set()
    while waiting:
        op = waiting.pop()
        if op.name not in reached:
            reached.add(op.name)
            waiting += [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    left = [one for one in updates if one.name not in reached]
    if not left:
        return ""
    return f"{len(left)} of {len(updates)} are not run, such as {left[0].name}"
