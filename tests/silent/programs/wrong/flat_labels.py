"""Trains a model with a train_step of its own; the labels have no axis for the one output."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)
doses = np.random.rand(64, 3).astype("float32")
effects = doses.mean(1)


class Regressor(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(12, activation="tanh")
        self.out = keras.layers.Dense(1)

    def call(self, dose):
        return self.out(self.hidden(dose))

    def train_step(self, data):
        dose, effect = data
        with tf.GradientTape() as tape:
            predicted = self(dose, training=True)
            error = predicted - effect
            loss = tf.reduce_mean(error**2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


regressor = Regressor()
regressor.compile(optimizer="adam")
regressor.fit(doses, effects, batch_size=16, epochs=2, verbose=0)
