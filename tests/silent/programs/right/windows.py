"""Attention inside of windows: maps are cut into windows, which become rows, and joined again."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
tiles = np.random.rand(24, 8, 8, 3).astype("float32")
kinds = np.random.randint(0, 4, 24)
SIDE = 4


class WindowAttention(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(2, 4)

    def call(self, maps):
        batch = tf.shape(maps)[0]
        _, height, width, channels = maps.shape
        rows, columns = height // SIDE, width // SIDE
        cut = tf.reshape(maps, [-1, rows, SIDE, columns, SIDE, channels])
        cut = tf.transpose(cut, [0, 1, 3, 2, 4, 5])
        windows = tf.reshape(cut, [-1, SIDE * SIDE, channels])
        windows = self.attention(windows, windows)
        cut = tf.reshape(windows, [-1, rows, columns, SIDE, SIDE, channels])
        return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4, 5]), [batch, height, width, channels])


model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(8, 1),
        WindowAttention(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(4, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(tiles, kinds, batch_size=8, verbose=0)
