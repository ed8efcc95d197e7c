"""A program in whose lines equal numbers mean different things, and numbers that Keras computes."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class Scale(layers.Layer):  # type: ignore[misc]
    """A factor for each channel."""

    def build(self, shape: Any) -> None:
        """Create the factors."""
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x: Any) -> Any:
        """Keep the shape."""
        return x * self.scale * 6


class Gate(layers.Layer):  # type: ignore[misc]
    """A gated convolution."""

    def __init__(self, width: int, window: int) -> None:
        super().__init__()
        self.both = layers.Conv1D(2 * width, window, padding="causal")
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]

    def call(self, x: Any) -> Any:
        """[batch, length, channels] to [batch, length, width]."""
        first, second = tf.split(self.both(x), 2, axis=-1)
        return self.norms[1](ops.tanh(first) * ops.sigmoid(second))


def build(width: int = 6, window: int = 2, filters: int = 3, side: int = 3) -> Any:
    """[batch, 8, 3] to [batch, 5]."""
    x = inputs = keras.Input((8, 3))
    x = Scale()(Gate(width, window)(x))
    x = ops.reshape(x, (-1, 4, 2, 6))
    x = layers.Conv2D(1, 1, name="one")(x)
    x = layers.Conv2D(filters, side, padding="same", name="square")(x)
    x = layers.Conv2D(4, 1, name="four")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", name="same")(x)
    x = layers.GroupNormalization(groups=2, name="groups")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, name="valid")(x)
    x = layers.UpSampling2D(name="twice")(x)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, layers.Dense(5)(x))


if __name__ == "__main__":
    model = build()
    model.compile("adam", "mse")
    model.fit(np.zeros((16, 8, 3)), np.zeros((16, 5)), batch_size=8, epochs=2, verbose=0)
