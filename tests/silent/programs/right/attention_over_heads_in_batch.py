"""Attention whose heads are put into the batch axis, and taken out of it afterwards."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(4)
sentences = np.random.rand(40, 6, 16).astype("float32")
topics = np.random.randint(0, 4, 40)


class BatchedHeads(keras.layers.Layer):
    def __init__(self, heads):
        super().__init__()
        self.heads = heads
        self.project = keras.layers.Dense(48)
        self.merge = keras.layers.Dense(16)

    def call(self, words):
        q, k, v = tf.split(self.project(words), 3, axis=-1)
        q = tf.concat(tf.split(q, self.heads, axis=2), axis=0)
        k = tf.concat(tf.split(k, self.heads, axis=2), axis=0)
        v = tf.concat(tf.split(v, self.heads, axis=2), axis=0)
        shares = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 2.0)
        mixed = tf.matmul(shares, v)
        return self.merge(tf.concat(tf.split(mixed, self.heads, axis=0), axis=2))


words = keras.Input((6, 16))
mixed = BatchedHeads(4)(words)
pooled = keras.layers.GlobalMaxPooling1D()(mixed)
model = keras.Model(words, keras.layers.Dense(4, activation="softmax")(pooled))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(sentences, topics, batch_size=10, epochs=1, verbose=0)
