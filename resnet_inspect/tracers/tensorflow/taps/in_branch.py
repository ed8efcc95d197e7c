"""Taps of a step that Keras or the user compiles; their values leave the graph by variables.

The return value of such a step cannot be changed, it may be compiled by XLA, and several steps may
run in one execution. The taps therefore assign their values to variables, in one branch that runs
only if the host has set `wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.tracers.tensorflow.taps.points import Point
from resnet_inspect.tracers.tensorflow.taps.readings import Readings, read
from resnet_inspect.tracers.tensorflow.taps.recomputation import Recomputation
from resnet_inspect.tracers.tensorflow.taps.taps import KINDS, Taps

Tensor = Any
MOST = 1 << 18  # elements of a tensor of unknown size that are sampled if `sample` is 0 (all)


class BranchTaps:
    """Taps of one trace. Create it where variables may be created; call `write` behind the step.

    Variables are placed on `device`; "" is the default device.
    """

    def __init__(
        self,
        points: Sequence[Point],
        sample: int,
        scalars: Mapping[str, Tensor],
        device: str = "",
    ) -> None:
        self._taps = Taps(points, sample, scalars, most=MOST)
        with tf.init_scope(), tf.device(device or None):
            self._variables = {
                name: _variable(shape, KINDS[name]) for name, shape in self._taps.shapes().items()
            }

    def __len__(self) -> int:
        """The number of tapped tensors."""
        return len(self._taps)

    def write(
        self,
        wanted: tf.Variable,
        ran: tf.Variable,
        number: int,
        *,
        extra: Sequence[Callable[[], None]] = (),
        fused: bool = True,
    ) -> None:
        """Add the branch that assigns the tapped values, and `number` to `ran`, if `wanted` is set.

        The functions `extra` add more assignments to the branch. With `fused`, the branch
        recomputes tensors that TensorFlow would otherwise fuse with other ops of the step.
        """

        def assign_all() -> Tensor:
            recomputed = Recomputation() if fused else _unchanged
            for name, tensor in self._taps.tensors(recomputed).items():
                if 0 not in self._variables[name].shape:
                    self._variables[name].assign(tensor)
            for assign in extra:
                assign()
            ran.assign(number)
            return tf.constant(0)

        tf.cond(wanted, assign_all, lambda: tf.constant(0))

    def read(self) -> Readings:
        """The readings that were assigned last."""
        values = {name: value_of(variable) for name, variable in self._variables.items()}
        return read(self._taps, values)


def _unchanged(tensor: Tensor) -> Tensor:
    return tensor


def value_of(variable: tf.Variable) -> NDArray[Any]:
    """The current value of a variable; `variable.numpy()` takes ten times as long."""
    value = tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)
    return np.asarray(value.numpy())


def _variable(shape: Sequence[int | None], dtype: Any) -> tf.Variable:
    """A plain variable: tf.function reports each `tf.Variable` that is created in a trace."""
    return ResourceVariable(tf.zeros(shape, dtype), trainable=False)
