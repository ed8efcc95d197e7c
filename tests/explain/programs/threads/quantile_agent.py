"""Trains an agent that predicts quantiles of its reward. After tensorflow/tensorflow #41528."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Input

batch_size, atoms = 4, 6
tau = [(2 * (i - 1) + 1) / (2 * atoms) for i in range(1, atoms + 1)]
huber = tf.keras.losses.Huber(reduction=None)
optimizer = tf.keras.optimizers.Adam(0.001)
model = tf.keras.Sequential([Input((3,)), Dense(16, activation='relu'), Dense(atoms)])


def quantile_loss(target, pred):
    pred_tile = tf.tile(tf.expand_dims(pred, axis=2), [1, 1, atoms])
    target_tile = tf.tile(tf.expand_dims(target, axis=1), [1, atoms, 1])
    huber_loss = huber(target_tile, pred_tile)
    taus = tf.tile(tf.reshape(tf.constant(tau), [1, atoms, 1]), [batch_size, 1, atoms])
    error_loss = target_tile - pred_tile
    loss = tf.where(error_loss < 0.0, (1.0 - taus) * huber_loss, taus * huber_loss)
    return tf.reduce_mean(loss)


for step in range(5):
    states = np.random.rand(batch_size, 3).astype('float32')
    target = tf.random.normal([batch_size, atoms])
    with tf.GradientTape() as tape:
        theta = model(states)
        loss = quantile_loss(target, theta)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
