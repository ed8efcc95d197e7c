"""Convolutions with batch normalization and a mean over the picture at their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import AsInInference, head, initializer, mixed

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    filters: tuple[int, ...] = (12, 24),
    activation: str = "relu",
    kernel: str = "he_normal",
    bias: float = 0.0,
    use_bias: bool = True,
    normalization: bool = True,
    norm_axis: int = -1,
    norm_momentum: float = 0.9,
    norm_training: bool | None = None,
    scaled: bool = False,
    residual: bool = False,
    mean_axes: tuple[int, ...] = (1, 2),
    mixing: bool = False,
    dropout: float = 0.0,
    last: str = "linear",
    after_last: str = "",
    l2: float = 0.0,
) -> Any:
    """A convolution of stride 2 for each of `filters`; `scaled` brings 0…255 to 0…1 inside,
    `mixing` cuts examples anew before the mean.
    """
    inputs = keras.Input(shapes[0])
    flow = L.Rescaling(1 / 127.5, offset=-1)(inputs) if scaled else inputs
    for number, count in enumerate(filters):
        before = flow
        flow = L.Conv2D(
            count,
            3,
            strides=1 if residual and number else 2,
            padding="same",
            use_bias=use_bias,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=f"conv{number}",
        )(flow)
        if normalization:
            layer = L.BatchNormalization(axis=norm_axis, momentum=norm_momentum)
            flow = (AsInInference(layer) if norm_training is False else layer)(flow)
        if residual and number:
            flow = L.Add()([before, flow])
        if activation != "linear":
            flow = L.Activation(activation)(flow)
    if mixing:
        flow = mixed(flow)
    flow = keras.ops.mean(flow, axis=mean_axes)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    if after_last == "batch":
        flow = L.BatchNormalization(momentum=0.9)(head(units, last)(flow))
    else:
        flow = head(units, last)(flow)
    return keras.Model(inputs, flow)
