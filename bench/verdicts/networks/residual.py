"""Residual dense blocks with layer normalization."""

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
    depth: int = 4,
    width: int = 24,
    activation: str = "gelu",
    kernel: str = "glorot_uniform",
    normalization: bool = True,
    tied: bool = False,
    dropout: float = 0.0,
    dropout_training: bool | None = None,
    frozen: bool = False,
    unused: bool = False,
    last: str = "linear",
    after_last: str = "",
) -> Any:
    """`tied` uses the same two layers in every block; `frozen` freezes all blocks, `after_last`
    "dropout" drops answers.
    """
    inputs = keras.Input(shapes[0])
    flow = L.Dense(width, name="stem")(inputs)
    pairs = [
        (
            L.Dense(2 * width, kernel_initializer=initializer(kernel), name=f"wide{number}"),
            L.Dense(width, kernel_initializer=initializer(kernel), name=f"narrow{number}"),
        )
        for number in range(1 if tied else depth)
    ]
    for number in range(depth):
        wide, narrow = pairs[0 if tied else number]
        wide.trainable = narrow.trainable = not frozen
        inner = L.LayerNormalization()(flow) if normalization else flow
        inner = wide(inner)
        if activation != "linear":
            inner = L.Activation(activation)(inner)
        if dropout:
            drop = L.Dropout(dropout)
            inner = (AsInInference(drop) if dropout_training is False else drop)(inner)
        flow = L.Add()([flow, narrow(inner)])
    if normalization:
        flow = L.LayerNormalization()(flow)
    flow = head(units, last)(Unused()(flow) if unused else flow)
    return keras.Model(inputs, L.Dropout(0.5)(flow) if after_last == "dropout" else flow)
