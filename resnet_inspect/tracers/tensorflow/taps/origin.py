"""Finds the op, variable or input with the first NaN or infinity, by running the step again.

The step is traced once more with a check on every output. It runs on the same batch, from the
values of the variables before the step. This costs one trace, and only if it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_inspect.stats import Origin
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.taps.points import is_number

Values = Mapping[str, Tensor]


def find_origin(
    number: int,
    step: Callable[..., Construction],
    batch: tuple[NDArray[Any], ...],
    variables: Mapping[str, tf.Variable],
    before: Values,
) -> Origin | None:
    """The origin of the first NaN or infinity of step `number`; None if a second run has none.

    `step` builds the step, without its updates, in a function that is traced. `before` are the
    values of its variables before the step. The variables are not changed.
    """
    checked: list[str] = []

    def checks(*fed: Tensor) -> Tensor:
        made = step(*fed)
        outputs = [
            tensor
            for op in made.graph.get_operations()
            if op.type not in ("Placeholder", "ReadVariableOp")
            for tensor in op.outputs
            if tensor.dtype.is_floating and is_number(tensor)
        ]
        checked.extend(tensor.op.name for tensor in outputs)
        return tf.stack([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in outputs])

    call = tf.function(checks, autograph=False)
    specs = [tf.TensorSpec(array.shape, array.dtype, f"input{i}") for i, array in enumerate(batch)]
    for array, name in zip(batch, ("images", "labels"), strict=False):
        if not np.isfinite(array).all():
            return Origin(number, "input", name)
    for name, value in before.items():
        if not np.isfinite(value.numpy()).all():
            return Origin(number, "variable", name)
    after = {name: variables[name].read_value() for name in before}
    try:
        for name, value in before.items():
            variables[name].assign(value)
        finite = call.get_concrete_function(*specs)(*map(tf.constant, batch)).numpy()
    finally:
        for name, value in after.items():
            variables[name].assign(value)
    if not finite.all():
        return Origin(number, "op", checked[int(np.argmin(finite))])
    for name, value in after.items():
        if not np.isfinite(value.numpy()).all():
            return Origin(number, "update", name)
    return None
