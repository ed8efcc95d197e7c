"""Replaces each position of a map by the nearest entry of a table, and draws the picture again."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
stamps = np.random.rand(32, 8, 8, 1).astype("float32")


class Codebook(keras.layers.Layer):
    def __init__(self, entries, width):
        super().__init__()
        self.entries, self.width = entries, width
        self.table = self.add_weight(shape=(width, entries), initializer="uniform")

    def call(self, maps):
        shape = tf.shape(maps)
        rows = tf.reshape(maps, [-1, self.width])
        away = (
            tf.reduce_sum(rows**2, axis=1, keepdims=True)
            + tf.reduce_sum(self.table**2, axis=0)
            - 2 * tf.matmul(rows, self.table)
        )
        chosen = tf.one_hot(tf.argmin(away, axis=1), self.entries)
        drawn = tf.reshape(tf.matmul(chosen, self.table, transpose_b=True), shape)
        self.add_loss(tf.reduce_mean((tf.stop_gradient(maps) - drawn) ** 2))
        return maps + tf.stop_gradient(drawn - maps)


stamp = keras.Input((8, 8, 1))
code = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(stamp)
drawn = keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same")(Codebook(16, 4)(code))
model = keras.Model(stamp, drawn)
model.compile("adam", "mse")
model.fit(stamps, stamps, batch_size=8, verbose=0)
