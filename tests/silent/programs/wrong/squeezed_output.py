"""Predicts a rent in a loop; the output is squeezed, the labels are not."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
flats = np.random.rand(96, 5).astype("float32")
rents = flats.sum(1, keepdims=True)
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.01)


@tf.function
def train_step(flat, rent):
    with tf.GradientTape() as tape:
        guess = tf.squeeze(model(flat, training=True), axis=-1)
        loss = tf.reduce_mean(tf.square(rent - guess))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for flat, rent in tf.data.Dataset.from_tensor_slices((flats, rents)).batch(24):
    train_step(flat, rent)
