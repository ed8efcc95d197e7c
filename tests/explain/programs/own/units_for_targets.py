"""Finds the position of a robot from five distances."""
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)
distances = rng.random((60, 5)).astype("float32")
position = rng.random((60, 2)).astype("float32")
first = tf.keras.layers.Dense(12, activation="tanh")
last = tf.keras.layers.Dense(3)
locate = tf.keras.Sequential([first, last])
locate.compile("sgd", "mse")
locate.fit(distances, position, batch_size=10, epochs=1, verbose=0)
