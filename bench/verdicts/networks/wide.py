"""Binary inputs that skip to the output, and real inputs through dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import head, initializer

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    width: int = 24,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    l2: float = 0.0,
    dropout: float = 0.0,
    detached: bool = False,
    frozen: bool = False,
    last: str = "linear",
) -> Any:
    """Two inputs; `detached` lets no gradient into the deep part, `frozen` freezes it."""
    marks, numbers = (keras.Input(shape) for shape in shapes)
    flow = numbers
    for number in range(2):
        flow = L.Dense(
            width,
            activation=activation,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            trainable=not frozen,
            name=f"deep{number}",
        )(flow)
        if dropout:
            flow = L.Dropout(dropout)(flow)
    if detached:
        flow = keras.ops.stop_gradient(flow)
    return keras.Model([marks, numbers], head(units, last)(L.Concatenate()([marks, flow])))
