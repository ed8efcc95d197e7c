"""Cuts pictures into patches by reshape and transpose, with a learned place for each patch."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(6)
pictures = np.random.rand(40, 16, 16, 3).astype("float32")
kinds = np.random.randint(0, 5, 40)
SIDE = 4


class Patches(layers.Layer):
    def call(self, images):
        batch, height, width, channels = ops.shape(images)
        rows, columns = height // SIDE, width // SIDE
        cut = ops.reshape(images, (batch, rows, SIDE, columns, SIDE, channels))
        cut = ops.transpose(cut, (0, 1, 3, 2, 4, 5))
        return ops.reshape(cut, (batch, rows * columns, SIDE * SIDE * channels))


class Place(layers.Layer):
    def __init__(self, count, width):
        super().__init__()
        self.project = layers.Dense(width)
        self.table = layers.Embedding(count, width)
        self.count = count

    def call(self, patches):
        numbers = ops.expand_dims(ops.arange(self.count), axis=0)
        return self.project(patches) + self.table(numbers)


images = keras.Input((16, 16, 3))
encoded = Place(16, 12)(Patches()(images))
attended = layers.MultiHeadAttention(2, 6)(encoded, encoded)
encoded = layers.LayerNormalization()(layers.Add()([attended, encoded]))
flat = layers.Flatten()(encoded)
model = keras.Model(images, layers.Dense(5)(flat))
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(pictures, kinds, batch_size=8, epochs=1, verbose=0)
