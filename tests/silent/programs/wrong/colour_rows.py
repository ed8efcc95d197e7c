"""An autoencoder for grey pictures gets coloured ones: each channel becomes an example."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
photographs = np.random.rand(24, 12, 12, 3).astype("float32")


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.code = keras.layers.Conv2D(4, 3, padding="same", activation="relu")
        self.draw = keras.layers.Conv2D(1, 3, padding="same")

    def call(self, picture):
        return self.draw(self.code(picture))

    def train_step(self, picture):
        picture = tf.reshape(picture, [-1, 12, 12, 1])
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(picture) - picture))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


model = Autoencoder()
model.compile("adam")
model.fit(photographs, batch_size=8, verbose=0)
