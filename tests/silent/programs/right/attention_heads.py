"""Self-attention that splits features into heads and merges them again."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(4)
sentences = np.random.rand(40, 6, 16).astype("float32")
topics = np.random.randint(0, 4, 40)


class SelfAttention(keras.layers.Layer):
    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads, self.depth = width, heads, width // heads
        self.query = keras.layers.Dense(width)
        self.key = keras.layers.Dense(width)
        self.value = keras.layers.Dense(width)
        self.merge = keras.layers.Dense(width)

    def split(self, x, batch):
        x = tf.reshape(x, (batch, -1, self.heads, self.depth))
        return tf.transpose(x, perm=[0, 2, 1, 3])

    def call(self, words):
        batch = tf.shape(words)[0]
        q = self.split(self.query(words), batch)
        k = self.split(self.key(words), batch)
        v = self.split(self.value(words), batch)
        scores = tf.matmul(q, k, transpose_b=True) / np.sqrt(self.depth)
        mixed = tf.matmul(tf.nn.softmax(scores, axis=-1), v)
        mixed = tf.transpose(mixed, perm=[0, 2, 1, 3])
        return self.merge(tf.reshape(mixed, (batch, -1, self.width)))


words = keras.Input((6, 16))
mixed = keras.layers.LayerNormalization()(words + SelfAttention(16, 4)(words))
pooled = keras.layers.GlobalAveragePooling1D()(mixed)
model = keras.Model(words, keras.layers.Dense(4, activation="softmax")(pooled))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(sentences, topics, batch_size=10, epochs=1, verbose=0)
