"""A model of custom classes that call each other: two inputs share one encoder."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(7)
random = np.random.default_rng(7)
left = random.normal(size=(24, 6)).astype("float32")
right = random.normal(size=(24, 6)).astype("float32")
alike = (left[:, :1] * right[:, :1] > 0).astype("float32")


class Residual(layers.Layer):
    """x + dense(norm(x))."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.LayerNormalization(name="norm")
        self.dense = layers.Dense(width, activation="relu", name="dense")

    def call(self, x):
        """Return a tensor of the same shape, [batch, width]."""
        return x + self.dense(self.norm(x))


class Encoder(layers.Layer):
    """A projection and a residual layer."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.project = layers.Dense(width, name="project")
        self.residual = Residual(width, name="residual")

    def call(self, x):
        """Map [batch, features] to [batch, width]."""
        return self.residual(self.project(x))


class Pair(keras.Model):
    """Scores the similarity of two rows."""

    def __init__(self):
        super().__init__(name="pair")
        self.encoder = Encoder(8, name="encoder")
        self.score = layers.Dense(1, name="score")

    def call(self, rows):
        """Map two tensors [batch, features] to logits [batch, 1]."""
        one, other = (self.encoder(rows[side]) for side in ("left", "right"))
        return self.score(ops.concatenate([one * other, ops.abs(one - other)], axis=1))


model = Pair()
model.compile(keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.BinaryCrossentropy(from_logits=True))
model.fit({"left": left, "right": right}, alike, batch_size=8, shuffle=False, verbose=0)
