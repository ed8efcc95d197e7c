"""Predicts three numbers a series; an axis of one step is kept up to the loss."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
tracks = np.random.rand(72, 10, 3).astype("float32")
ends = np.random.rand(72, 3).astype("float32")
model = keras.Sequential(
    [keras.Input((10, 3)), keras.layers.Conv1D(8, 10, activation="relu"), keras.layers.Dense(3)]
)
optimizer = keras.optimizers.Adam()


@tf.function
def train_step(track, end):
    with tf.GradientTape() as tape:
        guess = model(track, training=True)
        loss = tf.reduce_mean(tf.square(guess - end))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for track, end in tf.data.Dataset.from_tensor_slices((tracks, ends)).batch(18):
    train_step(track, end)
