"""An autoencoder for small images, with a code of eight numbers: a subclassed model."""

import hashlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(4)
pictures = np.random.default_rng(4).random((30, 8, 8, 1), dtype="float32")


class Autoencoder(keras.Model):
    """An encoder and a decoder."""

    def __init__(self, width):
        super().__init__()
        self.encoder = keras.Sequential(
            [
                layers.Conv2D(4, 3, strides=2, padding="same", activation="elu"),
                layers.Flatten(),
                layers.Dense(width, activation="tanh", activity_regularizer="l1"),
            ],
            name="encoder",
        )
        self.decoder = keras.Sequential(
            [
                layers.Dense(64, activation="relu"),
                layers.Reshape((4, 4, 4)),
                layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
            ],
            name="decoder",
        )

    def call(self, inputs):
        """Images to reconstructed images."""
        return self.decoder(self.encoder(inputs))


model = Autoencoder(8)
model.compile("adamw", "mse")
model.fit(pictures, pictures, batch_size=10, epochs=2, verbose=2, shuffle=False)
print(model.encoder(pictures[:1]).numpy().round(4))
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
