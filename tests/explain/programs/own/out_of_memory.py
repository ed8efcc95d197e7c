"""Adds noise to the distances of all points from each other."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Distances(layers.Layer):
    def call(self, points):
        many = tf.shape(points)[0]
        noise = tf.random.normal([many, many, 4096, 4096])
        return points + tf.reduce_mean(noise)


model = keras.Sequential([Distances(), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.random.rand(3000, 3), np.random.rand(3000, 1), batch_size=3000, verbose=0)
