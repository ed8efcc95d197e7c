"""Compares pairs of drawings: the distances are a column, the labels are not."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
left = np.random.rand(60, 5).astype("float32")
right = np.random.rand(60, 5).astype("float32")
same = np.random.randint(0, 2, 60).astype("float32")
encoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])
optimizer = keras.optimizers.Adam()


@tf.function
def train_step(a, b, alike):
    with tf.GradientTape() as tape:
        apart = tf.reduce_sum(tf.square(encoder(a) - encoder(b)), axis=1, keepdims=True)
        near = alike * apart
        far = (1 - alike) * tf.maximum(1 - apart, 0)
        loss = tf.reduce_mean(near + far)
    gradients = tape.gradient(loss, encoder.trainable_variables)
    optimizer.apply_gradients(zip(gradients, encoder.trainable_variables))
    return loss


for start in range(0, 60, 15):
    part = slice(start, start + 15)
    train_step(left[part], right[part], same[part])
