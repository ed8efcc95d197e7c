"""A recurrent layer over embedded letters with a prediction at every step."""

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
    cell: str = "GRU",
    width: int = 16,
    depth: int = 1,
    letters: int = 12,
    embeddings: str = "uniform",
    embedded: bool = True,
    mixing: bool = False,
    norm_axis: int | None = None,
    dropout: float = 0.0,
    last: str = "linear",
    softmax_axis: int | None = None,
) -> Any:
    """`depth` layers in both directions; `embedded` False freezes the embeddings, `norm_axis`
    normalizes before the answer, `softmax_axis` adds a softmax along that axis.
    """
    inputs = keras.Input(shapes[0], dtype="int32")
    flow = L.Embedding(
        letters, 8, embeddings_initializer=initializer(embeddings), trainable=embedded
    )(inputs)
    if mixing:
        flow = mixed(flow)
    for _ in range(depth):
        flow = L.Bidirectional(getattr(L, cell)(width, return_sequences=True))(flow)
        if dropout:
            flow = L.Dropout(dropout)(flow)
    if norm_axis is not None:
        flow = L.BatchNormalization(axis=norm_axis, momentum=0.9)(flow)
    flow = head(units, last)(flow)
    if softmax_axis is not None:
        flow = L.Softmax(axis=softmax_axis)(flow)
    return keras.Model(inputs, flow)
