"""Depthwise separable convolutions, for classes or colours."""

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
    filters: tuple[int, ...] = (16, 24),
    activation: str = "relu",
    kernel: str = "he_normal",
    bias: float = 0.0,
    normalization: bool = True,
    norm_axis: int = -1,
    norm_momentum: float = 0.9,
    norm_training: bool | None = None,
    mean_axes: tuple[int, ...] = (1, 2),
    mixing: bool = False,
    dropout: float = 0.0,
    hidden: int = 0,
    l2: float = 0.0,
    last: str = "linear",
) -> Any:
    """A usual convolution of stride 2, then one taken apart for each of `filters`, the second of
    stride 2; `hidden` units before the answer.
    """

    def settled(flow: Any) -> Any:
        if normalization:
            layer = L.BatchNormalization(axis=norm_axis, momentum=norm_momentum)
            flow = (AsInInference(layer) if norm_training is False else layer)(flow)
        return flow if activation == "linear" else L.Activation(activation)(flow)

    inputs = keras.Input(shapes[0])
    more: dict[str, Any] = {
        "padding": "same",
        "bias_initializer": keras.initializers.Constant(bias),
        "use_bias": not normalization,
    }
    decay = keras.regularizers.L2(l2) if l2 else None
    flow = settled(L.Conv2D(12, 3, strides=2, name="stem", **more)(inputs))
    for number, count in enumerate(filters):
        flow = settled(
            L.DepthwiseConv2D(3, strides=1 + number % 2, name=f"of{number}", **more)(flow)
        )
        start = initializer(kernel)
        flow = settled(
            L.Conv2D(
                count,
                1,
                kernel_initializer=start,
                kernel_regularizer=decay,
                name=f"across{number}",
                **more,
            )(flow)
        )
    flow = keras.ops.mean(mixed(flow) if mixing else flow, axis=mean_axes)
    if hidden:
        flow = L.Dense(hidden, activation=activation, name="hidden")(flow)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    return keras.Model(inputs, head(units, last)(flow))
