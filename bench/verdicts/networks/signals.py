"""Convolutions over time with batch normalization, and a mean over time."""

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
    filters: tuple[int, ...] = (12, 16, 24),
    activation: str = "relu",
    kernel: str = "he_normal",
    bias: float = 0.0,
    norm_axis: int = -1,
    norm_momentum: float = 0.9,
    norm_training: bool | None = None,
    mean_axes: tuple[int, ...] = (1,),
    mixing: bool = False,
    dropout: float = 0.0,
    last: str = "linear",
    after_last: str = "",
) -> Any:
    """A convolution of stride 2 over 7 steps for each of `filters`."""
    inputs = keras.Input(shapes[0])
    flow = inputs
    for number, count in enumerate(filters):
        flow = L.Conv1D(
            count,
            7,
            strides=2,
            padding="same",
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            name=f"conv{number}",
        )(flow)
        layer = L.BatchNormalization(axis=norm_axis, momentum=norm_momentum)
        flow = (AsInInference(layer) if norm_training is False else layer)(flow)
        if activation != "linear":
            flow = L.Activation(activation)(flow)
    if mixing:
        flow = mixed(flow)
    flow = keras.ops.mean(flow, axis=mean_axes)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    flow = head(units, last)(flow)
    if after_last == "batch":
        flow = L.BatchNormalization(momentum=0.9)(flow)
    return keras.Model(inputs, flow)
