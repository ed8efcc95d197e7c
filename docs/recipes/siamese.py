"""A siamese network: one encoder for both inputs, their distance, a loss on pairs."""

import hashlib

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(7)
random = np.random.default_rng(7)
left = random.normal(size=(32, 12)).astype("float32")
right = random.normal(size=(32, 12)).astype("float32")
alike = random.integers(0, 2, (32, 1)).astype("float32")


@keras.saving.register_keras_serializable("siamese")
class Distance(layers.Layer):
    """The Euclidean distance of two vectors."""

    def call(self, one, other):
        """Two tensors [batch, width] to [batch, 1]."""
        return ops.sqrt(ops.sum(ops.square(one - other), -1, keepdims=True) + 1e-9)


def contrastive(wanted, distance):
    """A contrastive loss: small distances for equal pairs, large distances for others."""
    return ops.mean(wanted * distance**2 + (1 - wanted) * ops.maximum(1 - distance, 0) ** 2)


encoder = keras.Sequential(
    [keras.Input((12,)), layers.Dense(8, activation="relu"), layers.Dense(4)], name="encoder"
)
inputs = keras.Input((12,), name="left"), keras.Input((12,), name="right")
distance = Distance()(encoder(inputs[0]), encoder(inputs[1]))
model = keras.Model(inputs, distance)
model.compile(keras.optimizers.Adagrad(0.1), contrastive)
model.fit((left, right), alike, batch_size=8, epochs=2, verbose=2, shuffle=False)
print(model.predict((left[:2], right[:2]), verbose=0), encoder.count_params())
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
