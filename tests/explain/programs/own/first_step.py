"""Adds a random place to what is known of each bird."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Birds(keras.Model):
    def __init__(self):
        super().__init__()
        self.known = layers.Dense(6)
        self.weight = layers.Dense(1)

    def call(self, birds):
        place = tf.random.normal([8, 6])
        return self.weight(self.known(birds) + place)


model = Birds()
model.compile("adam", "mse")
model.fit(np.random.rand(50, 4), np.random.rand(50, 1), batch_size=12, verbose=0)
