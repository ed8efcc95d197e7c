"""Doubles pictures: channels become pixels by reshape and transpose, in a loop of its own."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(6)
large = np.random.rand(24, 12, 12, 1).astype("float32")
small = large[:, ::2, ::2]


class PixelShuffle(keras.layers.Layer):
    def call(self, x):
        batch, height, width = tf.unstack(tf.shape(x)[:3])
        x = tf.reshape(x, [batch, height, width, 2, 2, 1])
        x = tf.transpose(x, [0, 1, 3, 2, 4, 5])
        return tf.reshape(x, [batch, 2 * height, 2 * width, 1])


model = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
        keras.layers.Conv2D(4, 3, padding="same"),
        PixelShuffle(),
    ]
)
optimizer = keras.optimizers.Adam(1e-3)


@tf.function
def train_step(low, high):
    with tf.GradientTape() as tape:
        drawn = model(low, training=True)
        loss = tf.reduce_mean(tf.abs(high - drawn))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(2):
    for low, high in tf.data.Dataset.from_tensor_slices((small, large)).batch(8):
        train_step(low, high)
