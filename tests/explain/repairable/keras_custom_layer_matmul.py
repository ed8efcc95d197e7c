import numpy as np
import tensorflow as tf
class Proj(tf.keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units
    def build(self, input_shape):
        self.w = self.add_weight(shape=(self.units, input_shape[-1]), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
    def call(self, x):
        return tf.matmul(x, self.w) + self.b
m = tf.keras.Sequential([Proj(6), tf.keras.layers.Dense(1)])
m.compile("sgd", "mse")
m.fit(np.random.rand(16, 10), np.random.rand(16, 1), verbose=0)
