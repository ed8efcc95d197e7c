"""Learns action values; the rewards of the memory are columns, the values of states are not."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(5)
GAMMA, ACTIONS = 0.95, 3
states = np.random.rand(128, 6).astype("float32")
actions = np.random.randint(0, ACTIONS, 128)
rewards = np.random.rand(128, 1).astype("float32")


def network():
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(ACTIONS)]
    )


online, target = network(), network()
optimizer = keras.optimizers.Adam(1e-3)


@tf.function
def learn(state, action, reward, following):
    best = tf.reduce_max(target(following), axis=1)
    wanted = reward + GAMMA * best
    with tf.GradientTape() as tape:
        values = online(state)
        chosen = tf.reduce_sum(values * tf.one_hot(action, ACTIONS), axis=1)
        loss = tf.reduce_mean(tf.square(wanted - chosen))
    gradients = tape.gradient(loss, online.trainable_variables)
    optimizer.apply_gradients(zip(gradients, online.trainable_variables))
    return loss


for start in range(0, 96, 32):
    part = slice(start, start + 32)
    learn(states[part], actions[part], rewards[part], states[start + 1 : start + 33])
