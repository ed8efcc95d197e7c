"""Attends to the words of a short text."""
import numpy as np
import tensorflow as tf


class Attends(tf.keras.Model):
    def __init__(self, heads=2, width=8):
        super().__init__()
        self.heads, self.width = heads, width
        self.words = tf.keras.layers.Embedding(50, heads * width)
        self.queries = tf.keras.layers.Dense(heads * width)
        self.score = tf.keras.layers.Dense(3)

    def split(self, x):
        length = tf.shape(x)[1]
        return tf.transpose(tf.reshape(x, [-1, length, self.heads, self.width]), [0, 2, 1, 3])

    def call(self, ids):
        x = self.words(ids)
        queries, keys = self.split(self.queries(x)), self.split(x)
        weights = tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True))
        mixed = tf.transpose(tf.matmul(weights, keys), [0, 2, 1, 3])
        return self.score(tf.reduce_mean(tf.reshape(mixed, tf.shape(x)), axis=1))


model = Attends()
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss=loss)
model.fit(np.random.randint(0, 50, (30, 9)), np.random.randint(0, 3, 30), batch_size=8, verbose=0)
print(model.evaluate(np.random.randint(0, 50, (5, 7)), np.random.randint(0, 3, 5), verbose=0))
