"""Hands over what fused batch normalizations saw of a batch, and their moving averages.

As `batch` does, by a variable that is assigned in the branch of the recorded steps.
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
    """Taps of the layers of a step that normalize a batch by its own statistics.

    Make it where variables may be made. Read are mean and variance of the batch, then the moving
    averages after the step, each [channels], float32.
    """

    def __init__(self, made: Construction) -> None:
        self._made = made
        self._calls = [call for call in made.calls if _normalizes(call)]
        self._sizes = [int(call.output.op.outputs[1].shape[0]) for call in self._calls]
        with tf.init_scope():
            room = tf.zeros([4 * sum(self._sizes)])
            self._values = ResourceVariable(room, trainable=False) if self._calls else None

    def assign(self) -> None:
        """Add the ops that keep the statistics."""
        if self._values is None:
            return
        parts: list[Tensor] = []
        for call in self._calls:
            moving = [self._made.variables[name].read_value() for name in _moving(call)]
            parts += [*call.output.op.outputs[1:3], *moving]
        self._values.assign(tf.concat(parts, 0))

    def read(self) -> dict[str, Normalization]:
        """What was assigned last, by layer."""
        found: dict[str, Normalization] = {}
        if self._values is None:
            return found
        values = value_of(self._values)
        for call, size in zip(self._calls, self._sizes, strict=True):
            found[call.name] = Normalization(*values[: 4 * size].reshape(4, -1))
            values = values[4 * size :]
        return found


def _normalizes(call: LayerCall) -> bool:
    op: Any = getattr(call.output, "op", None)
    if op is None or op.type != FUSED or call.output.dtype != tf.float32:
        return False
    return bool(op.get_attr("is_training")) and len(_moving(call)) == 2


def _moving(call: LayerCall) -> list[str]:
    return [name for name in call.variables if "moving_" in name.rpartition("/")[2]]
