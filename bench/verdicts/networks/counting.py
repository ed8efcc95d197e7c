"""Dense layers that predict the mean of a count, or a mean and a deviation."""

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
    width: int = 24,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    dropout: float = 0.0,
    l1: float = 0.0,
    spread: str = "",
    last: str = "linear",
) -> Any:
    """`spread` is how the second answer becomes the logarithm of a variance: not at all, by way of
    "softplus", or of "relu", which may be 0.
    """
    inputs = keras.Input(shapes[0])
    flow = inputs
    for number in range(2):
        flow = L.Dense(
            width,
            activation=activation,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            kernel_regularizer=keras.regularizers.L1(l1) if l1 else None,
            name=f"hidden{number}",
        )(flow)
        if dropout:
            flow = L.Dropout(dropout)(flow)
    flow = head(units, last, kernel)(flow)
    if spread:
        bent = ops.softplus(flow[:, 1:]) + 1e-3 if spread == "softplus" else ops.relu(flow[:, 1:])
        flow = ops.concatenate([flow[:, :1], 2.0 * ops.log(bent)], axis=-1)
    return keras.Model(inputs, flow)
