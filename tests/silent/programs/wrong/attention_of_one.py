"""Pools steps by attention; the softmax is over the one score of each step."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(4)
melodies = np.random.rand(48, 9, 5).astype("float32")
moods = np.random.randint(0, 3, 48)


class AttentionPooling(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8, activation="tanh")
        self.score = keras.layers.Dense(1)

    def call(self, steps):
        scores = self.score(self.hidden(steps))
        shares = tf.nn.softmax(scores, axis=-1)
        return tf.reduce_sum(shares * steps, axis=1)


steps = keras.Input((9, 5))
pooled = AttentionPooling()(steps)
model = keras.Model(steps, keras.layers.Dense(3, activation="softmax")(pooled))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(melodies, moods, batch_size=12, epochs=1, verbose=0)
