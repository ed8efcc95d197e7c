"""Records the batch statistics and moving averages of fused batch normalizations.

As in `batch`, a variable is assigned in the branch of recorded steps.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.stats import Normalization
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, LayerCall
from resnet_inspect.tracers.tensorflow.taps.in_branch import value_of

Tensor = Any
FUSED = "FusedBatchNormV3"


class NormalizationTaps:
    """Taps of the layers that normalize by the statistics of the batch.

    Create it where variables may be created. For each layer it reads mean and variance of the
    batch, then the moving averages after the step, each [channels], float32.
    """

    def __init__(self, made: Construction) -> None:
        self._made = made
        self._calls = [call for call in made.calls if _normalizes(call)]
        self._sizes = [int(call.output.op.outputs[1].shape[0]) for call in self._calls]
        with tf.init_scope():
            zeros = tf.zeros([4 * sum(self._sizes)])
            self._values = ResourceVariable(zeros, trainable=False) if self._calls else None

    def assign(self) -> None:
        """Add the ops that assign the statistics to the variable."""
        if self._values is None:
            return
        parts: list[Tensor] = []
        for call in self._calls:
            moving = [self._made.variables[name].read_value() for name in _moving(call)]
            parts += [*call.output.op.outputs[1:3], *moving]
        self._values.assign(tf.concat(parts, 0))

    def read(self) -> dict[str, Normalization]:
        """The statistics that were assigned last, by layer."""
        by_layer: dict[str, Normalization] = {}
        if self._values is None:
            return by_layer
        values = value_of(self._values)
        for call, size in zip(self._calls, self._sizes, strict=True):
            by_layer[call.name] = Normalization(*values[: 4 * size].reshape(4, -1))
            values = values[4 * size :]
        return by_layer


def _normalizes(call: LayerCall) -> bool:
    op: Any = getattr(call.output, "op", None)
    if op is None or op.type != FUSED or call.output.dtype != tf.float32:
        return False
    return bool(op.get_attr("is_training")) and len(_moving(call)) == 2


def _moving(call: LayerCall) -> list[str]:
    return [name for name in call.variables if "moving_" in name.rpartition("/")[2]]
