"""A mean over embedded words without padding, and dense layers."""

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
    words: int = 30,
    width: int = 16,
    embeddings: str = "uniform",
    embedded: bool = True,
    hidden: int = 16,
    activation: str = "relu",
    bias: float = 0.0,
    dropout: float = 0.0,
    detached: bool = False,
    pooled: str = "words",
    last: str = "linear",
) -> Any:
    """`pooled` is what the mean is over: "words", or "features" by mistake; `embedded` False
    keeps the embeddings as they are.
    """
    inputs = keras.Input(shapes[0], dtype="int32")
    flow = L.Embedding(
        words,
        width,
        embeddings_initializer=initializer(embeddings),
        mask_zero=True,
        trainable=embedded,
    )(inputs)
    if detached:
        flow = keras.ops.stop_gradient(flow)
    flow = L.GlobalAveragePooling1D()(flow) if pooled == "words" else keras.ops.mean(flow, axis=2)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    flow = L.Dense(
        hidden,
        activation=activation,
        bias_initializer=keras.initializers.Constant(bias),
        name="hidden",
    )(flow)
    return keras.Model(inputs, head(units, last)(flow))
