"""Scores questionnaires with answers from 0 to 8."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Mixture(layers.Layer):
    def build(self, input_shape):
        self.table = self.add_weight(shape=(input_shape[-1], 3), name="table")

    def call(self, answers):
        whole = tf.cast(answers, tf.int32)
        return tf.matmul(whole, self.table)


survey = keras.Sequential([Mixture(), layers.Dense(1)])
survey.compile("adam", "mse")
survey.fit(np.random.randint(0, 9, (24, 5)), np.random.rand(24, 1), batch_size=6, verbose=0)
