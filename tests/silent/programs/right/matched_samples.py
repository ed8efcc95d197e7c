"""Draws points like the given ones: kernels compare all drawn with all given points."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(9)
points = np.random.rand(72, 3).astype("float32")
generator = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(3)]
)
optimizer = keras.optimizers.Adam(1e-3)


def kernel(first, second):
    apart = tf.expand_dims(first, 1) - second
    return tf.reduce_mean(tf.exp(-tf.reduce_sum(tf.square(apart), axis=-1)))


@tf.function
def train_step(given):
    noise = tf.random.normal([tf.shape(given)[0], 4])
    with tf.GradientTape() as tape:
        drawn = generator(noise, training=True)
        loss = kernel(given, given) + kernel(drawn, drawn) - 2 * kernel(given, drawn)
    gradients = tape.gradient(loss, generator.trainable_variables)
    optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    return loss


for given in tf.data.Dataset.from_tensor_slices(points).batch(18):
    train_step(given)
