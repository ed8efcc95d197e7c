"""An encoder to a few numbers, and a decoder from them."""

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
    width: int = 48,
    code: int = 6,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    noise: float = 0.0,
    detached: bool = False,
    last: str = "linear",
) -> Any:
    """`code` numbers in the middle; `detached` lets no gradient into the encoder."""
    inputs = keras.Input(shapes[0])
    flow = L.GaussianNoise(noise)(inputs) if noise else inputs

    def hidden(count: int, how: str, name: str) -> Any:
        return L.Dense(
            count,
            activation=how,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias if how == activation else 0.0),
            name=name,
        )

    flow = hidden(width, activation, "encoder")(flow)
    flow = hidden(code, "linear", "code")(flow)
    if detached:
        flow = keras.ops.stop_gradient(flow)
    flow = hidden(width, activation, "decoder")(flow)
    return keras.Model(inputs, head(units, last, kernel)(flow))
