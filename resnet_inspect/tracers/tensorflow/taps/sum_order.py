"""Keeps the order in which TensorFlow sums gradients the same with and without recording.

TensorFlow's memory optimizer estimates the peak memory of a step. Above 80 % of the memory of a
device, assumed to be 256 MiB for every CPU, it splits sums of three or more tensors: it adds each
tensor to a variable once it is computed. The last bits then differ from those of the sum, and
from run to run. Taps need memory and could take a step above this limit. A step that is below the
limit without taps therefore runs without the memory optimizer. A step that is above it without taps
runs unchanged.
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

MEMORY = 2**28  # bytes that TensorFlow assumes for a CPU
LIMIT = 0.8 * MEMORY
MHZ = 2000  # affects only the estimated order of ops
UNSPLIT = 2  # sums of so many inputs are not split


def over_limit(graph: Any) -> bool:
    """Whether TensorFlow estimates a peak memory of the step above its limit."""
    return max((peak for peak, _ in _peaks(graph).values()), default=0) > LIMIT


def any_order(graph: Any) -> bool:
    """Whether the graph has sums that the memory optimizer splits in a step above the limit."""
    return any(
        op.type in ("AddN", "AccumulateNV2")
        and len(op.inputs) > UNSPLIT
        and op.outputs[0].shape.is_fully_defined()
        for op in graph.get_operations()
    )


def _peaks(graph: Any) -> Any:
    """TensorFlow's estimate: bytes and tensors at the peak, by device."""
    item = MetaGraphDef()
    item.graph_def.CopyFrom(graph.as_graph_def())
    ends = [op.name for op in graph.get_operations() if op.op_def.is_stateful]
    item.collection_def["train_op"].node_list.value.extend(ends)
    devices = []
    for cpu in tf.config.list_logical_devices("CPU"):
        place = tf.DeviceSpec.from_string(cpu.name).replace(job="localhost", replica=0, task=0)
        device = NamedDevice(name=place.to_string())
        device.properties.type = "CPU"
        device.properties.num_cores = os.cpu_count() or 1
        device.properties.frequency = MHZ
        device.properties.memory_size = MEMORY
        devices.append(device)
    return Cluster(devices=devices).DeterminePeakMemoryUsage(Item(item))


class InOrder:
    """Calls a `tf.function` without the memory optimizer if `wanted` returns True.

    The value of `wanted` may change while the function is traced. Other attributes are forwarded to
    the function.
    """

    def __init__(self, function: Any, wanted: Callable[[], bool]) -> None:
        self._function = function
        self._wanted = wanted

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The function's result."""
        current = context.context()
        usual = current.function_call_options
        ours = current.function_call_options = _Options(usual, self._wanted)
        try:
            return self._function(*args, **named)
        finally:
            if current.function_call_options is ours:
                current.function_call_options = usual

    def __getattr__(self, name: str) -> Any:
        """Other attributes of the function."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._function, name)


class _Options(context.FunctionCallOptions):  # type: ignore[misc]
    """The usual options of calls without the memory optimizer; calls in a graph are unchanged."""

    def __init__(self, usual: Any, wanted: Callable[[], bool]) -> None:
        super().__init__(usual.executor_type)
        self._config_proto_serialized = usual.config_proto_serialized
        self._wanted = wanted

    def as_attrs(self) -> Any:
        attributes = super().as_attrs()
        if tf.executing_eagerly() and self._wanted():
            config = ConfigProto.FromString(attributes["config_proto"])
            rewriting = config.graph_options.rewrite_options
            rewriting.memory_optimization = RewriterConfig.NO_MEM_OPT
            attributes["config_proto"] = config.SerializeToString(deterministic=True)
        return attributes
