"""Trains with a loop of its own; the last batch is smaller."""
import keras
import numpy as np
import tensorflow as tf

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.05)
data = tf.data.Dataset.from_tensor_slices((np.random.rand(50, 6), np.random.rand(50))).batch(16)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.squeeze(model(x), axis=-1) - tf.cast(y, tf.float32)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(2):
    for x, y in data:
        loss = step(x, y)
print(float(loss))
