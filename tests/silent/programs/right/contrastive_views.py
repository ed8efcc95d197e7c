"""Contrasts two views of each example with all others of the batch."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(9)
scans = np.random.rand(48, 10).astype("float32")


class Contrastive(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential(
            [keras.layers.Dense(12, activation="relu"), keras.layers.Dense(6)]
        )

    def call(self, scan):
        return tf.math.l2_normalize(self.encoder(scan), axis=1)

    def train_step(self, scan):
        with tf.GradientTape() as tape:
            first = self(scan + tf.random.normal(tf.shape(scan), stddev=0.1))
            second = self(scan + tf.random.normal(tf.shape(scan), stddev=0.1))
            alike = tf.matmul(first, second, transpose_b=True) / 0.1
            numbers = tf.range(tf.shape(scan)[0])
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(numbers, alike, from_logits=True)
                + keras.losses.sparse_categorical_crossentropy(
                    numbers, tf.transpose(alike), from_logits=True
                )
            )
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


model = Contrastive()
model.compile("adam")
model.fit(scans, batch_size=12, epochs=1, verbose=0)
