"""Draws small clouds with a generator and a critic. After keras-team/keras #12820."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

BATCH_SIZE = 16
LATENT = 10


class CloudGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([layers.Dense(64), layers.Reshape((8, 8, 1))])
        self.critic = keras.Sequential([
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(1),
        ])

    def call(self, clouds):
        return self.critic(clouds)

    def blend(self, real, fake):
        alpha = tf.random.uniform((BATCH_SIZE, 1, 1, 1))
        return (alpha * real) + ((1 - alpha) * fake)

    def train_step(self, real):
        noise = tf.random.normal((tf.shape(real)[0], LATENT))
        fake = self.generator(noise, training=True)
        with tf.GradientTape() as tape:
            mixed = self.critic(self.blend(real, fake), training=True)
            loss = tf.reduce_mean(self.critic(fake) - self.critic(real)) + tf.reduce_mean(mixed ** 2)
        grads = tape.gradient(loss, self.critic.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.critic.trainable_weights))
        return {"critic": loss}


clouds = np.random.rand(50, 8, 8, 1).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(clouds).batch(BATCH_SIZE)
gan = CloudGAN()
gan.compile(optimizer=keras.optimizers.RMSprop(5e-5))
gan.fit(dataset, epochs=1, verbose=0)
