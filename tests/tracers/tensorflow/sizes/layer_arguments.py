"""A program whose layers have sizes from literals, names, attributes and elements."""

from typing import Any

import keras
import numpy as np
from keras import layers

config = {"width": 16, "heads": 2}


class Block(layers.Layer):  # type: ignore[misc]
    """Attention and a feed-forward network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.attention = layers.MultiHeadAttention(config["heads"], width // 2)
        self.wide = layers.Dense(units=self.width * 4, activation="gelu")
        self.narrow = layers.Dense(width)

    def call(self, x: Any) -> Any:
        """[batch, length, width] to [batch, length, width]."""
        return x + self.narrow(self.wide(x + self.attention(x, x)))


model = keras.Sequential(
    [
        keras.Input((12,), dtype="int32"),
        layers.Embedding(50, config["width"]),
        Block(16),
        layers.LSTM(7),
        layers.Dense(
            24,
        ),
        layers.Reshape((4, 6)),
        layers.Flatten(),
        layers.Dense(3),
    ]
)
model.compile("adam", "mse")
model.fit(np.zeros((16, 12)), np.zeros((16, 3)), batch_size=8, verbose=0)
