"""trace tf1_squeezed.py:train --tf1 --input "ship=11,6; crew=11,1" """

import tensorflow as tf


def train(ship, crew):
    hidden = tf.layers.dense(ship, 10, tf.nn.relu)
    guess = tf.squeeze(tf.layers.dense(hidden, 1), [1])
    loss = tf.reduce_mean(tf.squared_difference(guess, crew))
    return tf.train.GradientDescentOptimizer(0.1).minimize(loss), loss
