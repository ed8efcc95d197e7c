"""Ranks documents: each prediction is compared with every other of the batch."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(9)
documents = np.random.rand(60, 9).astype("float32")
grades = np.random.randint(0, 5, 60).astype("float32")
ranker = keras.Sequential([keras.Input((9,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(1e-3)


@tf.function
def train_step(document, grade):
    with tf.GradientTape() as tape:
        score = tf.squeeze(ranker(document, training=True), axis=1)
        ahead = score[:, None] - score
        better = tf.cast(grade[:, None] - grade > 0, tf.float32)
        loss = tf.reduce_sum(better * tf.nn.softplus(-ahead)) / tf.reduce_sum(better)
    gradients = tape.gradient(loss, ranker.trainable_variables)
    optimizer.apply_gradients(zip(gradients, ranker.trainable_variables))
    return loss


for document, grade in tf.data.Dataset.from_tensor_slices((documents, grades)).batch(15):
    train_step(document, grade)
