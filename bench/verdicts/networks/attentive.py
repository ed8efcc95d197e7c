"""A transformer block over embedded letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import head, initializer, mixed

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    width: int = 16,
    letters: int = 20,
    embeddings: str = "uniform",
    activation: str = "gelu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    mixing: bool = False,
    detached: bool = False,
    mean_axes: tuple[int, ...] = (1,),
    dropout: float = 0.0,
    last: str = "linear",
) -> Any:
    """Attention and two dense layers with residual connections, then a mean over the letters."""
    inputs = keras.Input(shapes[0], dtype="int32")
    flow = L.Embedding(letters, width, embeddings_initializer=initializer(embeddings))(inputs)
    if detached:
        flow = keras.ops.stop_gradient(flow)
    inner = L.LayerNormalization()(flow)
    flow = L.Add()([flow, L.MultiHeadAttention(2, width // 2)(inner, inner)])
    inner = L.LayerNormalization()(flow)
    inner = L.Dense(
        2 * width,
        activation=activation,
        kernel_initializer=initializer(kernel),
        bias_initializer=keras.initializers.Constant(bias),
        name="wide",
    )(inner)
    if dropout:
        inner = L.Dropout(dropout)(inner)
    inner = L.Dense(width, kernel_initializer=initializer(kernel), name="narrow")(inner)
    flow = L.LayerNormalization()(L.Add()([flow, inner]))
    if mixing:
        flow = mixed(flow)
    flow = keras.ops.mean(flow, axis=mean_axes)
    return keras.Model(inputs, head(units, last)(flow))
