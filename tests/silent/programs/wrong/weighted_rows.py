"""Weights examples; the weights are a column, the losses of the examples are not."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(2)
texts = np.random.rand(60, 10).astype("float32")
kinds = np.random.randint(0, 4, 60)
weights = np.random.rand(60, 1).astype("float32")
model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(4)])
optimizer = keras.optimizers.Adam()
entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


@tf.function
def train_step(text, kind, weight):
    with tf.GradientTape() as tape:
        each = entropy(kind, model(text, training=True))
        loss = tf.reduce_mean(each * weight)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for batch in tf.data.Dataset.from_tensor_slices((texts, kinds, weights)).batch(12):
    train_step(*batch)
