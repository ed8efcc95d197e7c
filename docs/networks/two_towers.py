"""A two-tower model: queries and documents share an encoder, and each tower adds its own layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def two_towers(words: int = 40, width: int = 12, units: int = 6) -> Any:
    """Queries [batch, 5] and documents [batch, 9] of word ids to similarities [batch, 1]."""
    encoder = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(words, width),
            layers.Conv1D(width, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling1D(),
        ],
        name="encoder",
    )
    query = keras.Input((5,), dtype="int32", name="query")
    document = keras.Input((9,), dtype="int32", name="document")
    towers = [
        layers.Dense(units, name="query_tower")(encoder(query)),
        layers.Dense(units, name="document_tower")(encoder(document)),
    ]
    return keras.Model([query, document], layers.Dot(axes=1, normalize=True)(towers))
