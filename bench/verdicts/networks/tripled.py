"""Three inputs through the same layers: which of two is closer to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import initializer

L = keras.layers
ops = keras.ops


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    width: int = 32,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    unit_length: bool = True,
    detached: bool = False,
) -> Any:
    """Codes of `units` numbers, of length 1 if `unit_length`; the answer is the difference of two
    squared distances, [count, 1].
    """
    tower = keras.Sequential(
        [
            L.Dense(
                width,
                activation=activation,
                kernel_initializer=initializer(kernel),
                bias_initializer=keras.initializers.Constant(bias),
                name="hidden",
            ),
            L.Dense(units, kernel_initializer=initializer(kernel), name="code"),
        ],
        name="tower",
    )
    inputs = [keras.Input(shape) for shape in shapes]
    codes = [tower(array) for array in inputs]
    if unit_length:
        codes = [L.UnitNormalization()(code) for code in codes]
    if detached:
        codes = [ops.stop_gradient(code) for code in codes]
    first, alike, unlike = codes
    near = ops.sum(ops.square(first - alike), axis=-1, keepdims=True)
    far = ops.sum(ops.square(first - unlike), axis=-1, keepdims=True)
    return keras.Model(inputs, near - far)
