"""Dense layers in sequence: classes, binary labels, several labels, regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import AsInInference, Unused, head, initializer

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    depth: int = 2,
    width: int = 32,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    use_bias: bool = True,
    normalization: str = "",
    norm_momentum: float = 0.9,
    norm_training: bool | None = None,
    dropout: float = 0.0,
    dropout_training: bool | None = None,
    l2: float = 0.0,
    last: str = "linear",
    after_last: str = "",
    first: str = "",
    unused: bool = False,
    detached: bool = False,
    frozen: bool = False,
) -> Any:
    """`depth` hidden layers of `width`. `first` is what is done to inputs ("log",
    "guarded log"), `after_last` a layer behind the last one ("batch", "dropout").
    """
    inputs = keras.Input(shapes[0])
    flow = _prepared(inputs, first, unused)
    for number in range(depth):
        flow = L.Dense(
            width,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            use_bias=use_bias,
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=f"hidden{number}",
        )(flow)
        if normalization == "batch":
            layer = L.BatchNormalization(momentum=norm_momentum)
            flow = (AsInInference(layer) if norm_training is False else layer)(flow)
        elif normalization == "layer":
            flow = L.LayerNormalization()(flow)
        if activation != "linear":
            flow = L.Activation(activation)(flow)
        if dropout:
            drop = L.Dropout(dropout)
            flow = (AsInInference(drop) if dropout_training is False else drop)(flow)
        if detached and number == depth - 1:
            flow = keras.ops.stop_gradient(flow)
    flow = _answered(flow, units, last, after_last, kernel, use_bias)
    model = keras.Model(inputs, flow)
    if frozen:
        for layer in model.layers:
            layer.trainable = False
    return model


def _prepared(flow: Any, first: str, unused: bool) -> Any:
    if first == "log":
        flow = keras.ops.log(keras.ops.relu(flow))
    elif first == "guarded log":
        flow = keras.ops.log(1.0 + keras.ops.relu(flow))
    return Unused()(flow) if unused else flow


def _answered(
    flow: Any, units: int, last: str, after_last: str, kernel: str, use_bias: bool
) -> Any:
    flow = head(units, last, kernel, use_bias=use_bias)(flow)
    if after_last == "batch":
        return L.BatchNormalization(momentum=0.9)(flow)
    return L.Dropout(0.5)(flow) if after_last == "dropout" else flow
