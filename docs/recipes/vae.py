"""A variational autoencoder: a custom train_step, three losses, seeded noise."""

import hashlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

keras.utils.set_random_seed(8)
pictures = np.random.default_rng(8).random((24, 8, 8, 1), dtype="float32")


class Sampling(layers.Layer):
    """Samples from the distribution that the encoder returns."""

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(11)

    def call(self, inputs):
        """Mean and logarithm of the variance, [batch, width] each, to [batch, width]."""
        mean, spread = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * spread) * noise


images = keras.Input((8, 8, 1))
x = layers.Flatten()(layers.Conv2D(4, 3, strides=2, activation="relu", padding="same")(images))
mean = layers.Dense(2, name="mean")(x)
spread = layers.Dense(2, name="spread")(x)
encoder = keras.Model(images, [mean, spread, Sampling()([mean, spread])], name="encoder")
code = keras.Input((2,))
x = layers.Reshape((4, 4, 2))(layers.Dense(32, activation="relu")(code))
x = layers.Conv2DTranspose(1, 3, strides=2, activation="sigmoid", padding="same")(x)
decoder = keras.Model(code, x, name="decoder")


class VAE(keras.Model):
    """Encoder and decoder with their losses."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.trackers = [keras.metrics.Mean(name=name) for name in ("total", "drawn", "kl")]

    @property
    def metrics(self):
        """The metrics that Keras resets and reports in each epoch."""
        return self.trackers

    def train_step(self, data):
        """Train on one batch."""
        with tf.GradientTape() as tape:
            mean, spread, code = self.encoder(data)
            again = self.decoder(code)
            drawn = ops.mean(ops.sum(keras.losses.binary_crossentropy(data, again), axis=(1, 2)))
            kl = -0.5 * ops.mean(ops.sum(1 + spread - mean**2 - ops.exp(spread), axis=1))
            total = drawn + kl
        gradients = tape.gradient(total, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (total, drawn, kl), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


model = VAE()
model.compile(keras.optimizers.Adam())
history = model.fit(pictures, batch_size=8, epochs=2, verbose=2, shuffle=False)
print({name: len(values) for name, values in history.history.items()})
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
