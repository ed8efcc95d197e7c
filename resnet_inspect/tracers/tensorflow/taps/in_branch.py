"""Taps of a step that somebody else compiles: what they gather leaves through variables.

Keras' `fit`, or a loop of one's own, returns what it returns, perhaps compiled by XLA, perhaps many
steps at once: what taps gather is assigned to variables, in one branch that is only taken while the
host has set `wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.tracers.tensorflow.taps.made_again import MadeAgain
from resnet_inspect.tracers.tensorflow.taps.points import Point
from resnet_inspect.tracers.tensorflow.taps.readings import Readings, read
from resnet_inspect.tracers.tensorflow.taps.taps import KINDS, Taps

Tensor = Any
MOST = 1 << 18  # elements that are taken of a tensor of unknown size where all are asked for


class BranchTaps:
    """Taps of one trace. Make it where variables may be made, `write` where the step ends.

    Variables are put on `device`, if one is given.
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
            self._held = {
                name: _variable(shape, KINDS[name]) for name, shape in self._taps.shapes().items()
            }

    def __len__(self) -> int:
        """How many tensors are tapped."""
        return len(self._taps)

    def write(
        self,
        wanted: tf.Variable,
        ran: tf.Variable,
        number: int,
        *,
        beside: Sequence[Callable[[], None]] = (),
        fused: bool = True,
    ) -> None:
        """Add the branch that assigns all findings, and `number` to `ran`, if `wanted` is set;
        `beside` adds more to it. With `fused` tensors are worked out again that TensorFlow fuses
        with others where nobody looks at them.
        """

        def findings() -> Tensor:
            made = MadeAgain() if fused else _as_it_is
            for name, tensor in self._taps.tensors(made).items():
                if 0 not in self._held[name].shape:
                    self._held[name].assign(tensor)
            for assign in beside:
                assign()
            ran.assign(number)
            return tf.constant(0)

        tf.cond(wanted, findings, lambda: tf.constant(0))

    def read(self) -> Readings:
        """What was assigned last."""
        return read(self._taps, {name: value_of(one) for name, one in self._held.items()})


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def value_of(variable: tf.Variable) -> NDArray[Any]:
    """What a variable holds now; its own method takes ten times as long."""
    value = tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)
    return np.asarray(value.numpy())


def _variable(shape: Sequence[int | None], dtype: Any) -> tf.Variable:
    """A plain variable: whoever traces the step wants to know of each `tf.Variable` made in it."""
    return ResourceVariable(tf.zeros(shape, dtype), trainable=False)
