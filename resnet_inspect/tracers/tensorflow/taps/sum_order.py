"""Keeps TensorFlow's sums of gradients in the order that they have without recording.

TensorFlow's memory optimizer estimates what a step holds at once. Beyond four fifths of a device's
memory, for which it takes 256 MiB on every CPU, it replaces a sum of three tensors or more by a
variable that each of them is added to as soon as it is there, in any order: the last bits differ
from those of the sum, and from run to run. Taps hold on to tensors, and would take a step over
that limit that is below it by itself; such a step is run without the memory optimizer, which would
not have changed it. A step that is over it by itself is left to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.device_properties_pb2 import NamedDevice
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.eager import context
from tensorflow.python.grappler.cluster import Cluster
from tensorflow.python.grappler.item import Item

MEMORY = 2**28  # bytes that TensorFlow takes a CPU to have
LIMIT = 0.8 * MEMORY
MHZ = 2000  # only says how long ops take, for the order in which they are thought to run
TAKES_MEMORY = 2  # inputs of a sum that the memory optimizer leaves alone


def over_limit(graph: Any) -> bool:
    """Whether TensorFlow estimates that a step holds more at once than it lets be."""
    return max((peak for peak, _ in _peaks(graph).values()), default=0) > LIMIT


def any_order(graph: Any) -> bool:
    """Whether there are sums that the memory optimizer takes apart in a step over the limit."""
    return any(
        op.type in ("AddN", "AccumulateNV2")
        and len(op.inputs) > TAKES_MEMORY
        and op.outputs[0].shape.is_fully_defined()
        for op in graph.get_operations()
    )


def _peaks(graph: Any) -> Any:
    """TensorFlow's own estimate: bytes and tensors at the worst moment, by device."""
    item = MetaGraphDef()
    item.graph_def.CopyFrom(graph.as_graph_def())
    ends = [op.name for op in graph.get_operations() if op.op_def.is_stateful]  # what it is run for
    item.collection_def["train_op"].node_list.value.extend(ends)
    devices = []
    for one in tf.config.list_logical_devices("CPU"):
        place = tf.DeviceSpec.from_string(one.name).replace(job="localhost", replica=0, task=0)
        device = NamedDevice(name=place.to_string())
        device.properties.type = "CPU"
        device.properties.num_cores = os.cpu_count() or 1
        device.properties.frequency = MHZ
        device.properties.memory_size = MEMORY
        devices.append(device)
    return Cluster(devices=devices).DeterminePeakMemoryUsage(Item(item))


class InOrder:
    """A function that calls a `tf.function` without the memory optimizer, while `wanted` says so.
    It may come to say so while the function is traced. The rest is the function's own.
    """

    def __init__(self, function: Any, wanted: Callable[[], bool]) -> None:
        self._function = function
        self._wanted = wanted

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The function's result."""
        held = context.context()
        usual = held.function_call_options
        ours = held.function_call_options = _Options(usual, self._wanted)
        try:
            return self._function(*args, **named)
        finally:
            if held.function_call_options is ours:
                held.function_call_options = usual

    def __getattr__(self, name: str) -> Any:
        """What else the function has."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._function, name)


class _Options(context.FunctionCallOptions):  # type: ignore[misc]
    """The usual options of calls, but for the memory optimizer. Calls in a graph have the usual."""

    def __init__(self, usual: Any, wanted: Callable[[], bool]) -> None:
        super().__init__(usual.executor_type)
        self._config_proto_serialized = usual.config_proto_serialized
        self._wanted = wanted

    def as_attrs(self) -> Any:
        found = super().as_attrs()
        if tf.executing_eagerly() and self._wanted():
            config = ConfigProto.FromString(found["config_proto"])
            rewriting = config.graph_options.rewrite_options
            rewriting.memory_optimization = RewriterConfig.NO_MEM_OPT
            found["config_proto"] = config.SerializeToString(deterministic=True)
        return found
