"""Two inputs through the same layers: whether they have the same class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import head, initializer

L = keras.layers
ops = keras.ops


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    width: int = 32,
    code: int = 8,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    answer: str = "distance",
    detached: bool = False,
    last: str = "linear",
) -> Any:
    """`answer` is the distance of both codes, or a dense layer on their difference."""
    tower = keras.Sequential(
        [
            L.Dense(
                width,
                activation=activation,
                kernel_initializer=initializer(kernel),
                bias_initializer=keras.initializers.Constant(bias),
                name="hidden",
            ),
            L.Dense(code, kernel_initializer=initializer(kernel), name="code"),
        ],
        name="tower",
    )
    inputs = [keras.Input(shape) for shape in shapes]
    first, second = (tower(array) for array in inputs)
    if detached:
        first, second = ops.stop_gradient(first), ops.stop_gradient(second)
    if answer == "distance":
        squares = ops.sum(ops.square(first - second), axis=-1, keepdims=True)
        return keras.Model(inputs, ops.sqrt(squares + 1e-6))
    return keras.Model(inputs, head(units, last, kernel)(ops.abs(first - second)))
