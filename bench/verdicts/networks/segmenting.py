"""A small U-Net: a prediction for every pixel, with shortcuts over the bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import AsInInference, initializer

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    filters: tuple[int, ...] = (6, 12),
    activation: str = "relu",
    kernel: str = "he_normal",
    bias: float = 0.0,
    normalization: bool = False,
    norm_axis: int = -1,
    norm_momentum: float = 0.9,
    norm_training: bool | None = None,
    dropout: float = 0.0,
    detached: bool = False,
    last: str = "linear",
) -> Any:
    """Down once for each of `filters` and up again by transposed convolutions; `detached` lets no
    gradient into the narrow part.
    """

    def convolved(flow: Any, count: int, name: str, strides: int = 1) -> Any:
        flow = L.Conv2D(
            count,
            3,
            strides=strides,
            padding="same",
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            name=name,
        )(flow)
        if normalization:
            layer = L.BatchNormalization(axis=norm_axis, momentum=norm_momentum)
            flow = (AsInInference(layer) if norm_training is False else layer)(flow)
        return flow if activation == "linear" else L.Activation(activation)(flow)

    inputs = keras.Input(shapes[0])
    flow, kept = inputs, []
    for number, count in enumerate(filters):
        flow = convolved(flow, count, f"at{number}")
        kept.append(flow)
        flow = convolved(flow, 2 * count, f"down{number}", strides=2)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    if detached:
        flow = keras.ops.stop_gradient(flow)
    for number, count in reversed(list(enumerate(filters))):
        flow = L.Conv2DTranspose(count, 2, strides=2, activation=activation, name=f"up{number}")(
            flow
        )
        flow = convolved(L.Concatenate()([kept[number], flow]), count, f"joined{number}")
    return keras.Model(inputs, L.Conv2D(units, 1, activation=last, name="head")(flow))
