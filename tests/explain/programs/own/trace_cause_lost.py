"""trace trace_cause_lost.py:build --input "photographs=6,36,36,3" """
import keras
import tensorflow as tf
from keras import layers


class Tiles(layers.Layer):
    def __init__(self, features):
        super().__init__()
        self.features = features
        self.project = layers.Conv2D(32, 4, strides=4)

    def call(self, photographs):
        grid = self.project(photographs)
        count = tf.shape(grid)[0]
        return tf.reshape(grid, [count, 9 * 9, self.features])


def build(features=24):
    tiles = Tiles(features)
    return keras.Sequential([tiles, layers.GlobalAveragePooling1D(), layers.Dense(2)])
