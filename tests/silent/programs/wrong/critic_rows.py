"""Trains a critic of pictures; its reshape makes four rows of each picture."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(6)
pictures = np.random.rand(32, 12, 12, 1).astype("float32")


class Critic(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")
        self.out = keras.layers.Dense(1)

    def call(self, picture):
        maps = self.conv(picture)
        flat = tf.reshape(maps, [-1, 3 * 3 * 8])
        return self.out(flat)


critic = Critic()
entropy = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(2e-4)


@tf.function
def train_step(real):
    false = tf.random.uniform(tf.shape(real))
    with tf.GradientTape() as tape:
        yes, no = critic(real), critic(false)
        loss = entropy(tf.ones_like(yes), yes) + entropy(tf.zeros_like(no), no)
    gradients = tape.gradient(loss, critic.trainable_variables)
    optimizer.apply_gradients(zip(gradients, critic.trainable_variables))
    return loss


for batch in tf.data.Dataset.from_tensor_slices(pictures).batch(16):
    train_step(batch)
