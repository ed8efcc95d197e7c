"""A recurrent layer written out: steps come first inside of it."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(8)
waves = np.random.rand(60, 7, 4).astype("float32")
kinds = np.random.randint(0, 2, 60)


class Reader(keras.Model):
    def __init__(self):
        super().__init__()
        self.project = keras.layers.Dense(5)
        self.cell = keras.layers.GRUCell(6)
        self.out = keras.layers.Dense(2)

    def call(self, wave):
        by_time = tf.transpose(wave, [1, 0, 2])
        rows = self.project(tf.reshape(by_time, [-1, 4]))
        state = tf.zeros([tf.shape(wave)[0], 6])
        for step in tf.split(rows, 7, axis=0):
            state, _ = self.cell(step, state)
        return self.out(state)


reader = Reader()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
reader.compile("adam", loss, metrics=["accuracy"])
reader.fit(waves, kinds, batch_size=12, epochs=1, verbose=0)
