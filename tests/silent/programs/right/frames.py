"""Films: a network for pictures sees all frames as rows, then frames become steps again."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(7)
films = np.random.rand(24, 5, 8, 8, 1).astype("float32")
deeds = np.random.randint(0, 3, 24)


class Films(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(4, 3, activation="relu")
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.memory = keras.layers.LSTM(6)
        self.out = keras.layers.Dense(3)

    def call(self, film):
        frames = tf.reshape(film, [-1, 8, 8, 1])
        seen = self.pool(self.conv(frames))
        steps = tf.reshape(seen, [-1, 5, 4])
        return self.out(self.memory(steps))


model = Films()
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(films, deeds, batch_size=8, epochs=1, verbose=0)
