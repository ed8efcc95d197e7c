"""A recurrent layer and a dense one."""

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
    cell: str = "LSTM",
    width: int = 24,
    recurrent: str = "orthogonal",
    activation: str = "tanh",
    mixing: bool = False,
    dropout: float = 0.0,
    last: str = "linear",
    trainable: bool = True,
) -> Any:
    """`cell` is LSTM, GRU, SimpleRNN or Bidirectional; `recurrent` initializes its own kernel."""
    inputs = keras.Input(shapes[0])
    flow = mixed(inputs) if mixing else inputs
    if cell == "Bidirectional":
        flow = L.Bidirectional(L.LSTM(width // 2))(flow)
    else:
        kind = getattr(L, cell)
        flow = kind(
            width,
            activation=activation,
            recurrent_initializer=initializer(recurrent),
            trainable=trainable,
        )(flow)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    return keras.Model(inputs, head(units, last, trainable=trainable)(flow))
