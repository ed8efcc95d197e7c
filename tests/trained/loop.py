"""A regression in a custom loop: a `tf.function` with a tape and an optimizer."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(5)
random = np.random.default_rng(5)
inputs = random.normal(size=(4, 8, 6)).astype("float32")
targets = inputs.sum(2, keepdims=True) ** 2

model = keras.Sequential(
    [layers.Dense(10, activation="tanh", name="hidden"), layers.Dense(1, name="output")],
    name="regressor",
)
optimizer = keras.optimizers.SGD(0.01)


@tf.function
def train_step(x, y):
    """Run one step of gradient descent and return the loss."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


for x, y in zip(inputs, targets, strict=True):
    train_step(tf.constant(x), tf.constant(y))
