"""trace tf1_reshaped_time.py:train --tf1 --input "tone=6,10,3:float32:batch,,; pitch=6,1" """

import tensorflow as tf


def train():
    tone = tf.placeholder(tf.float32, [None, 10, 3], name="tone")
    pitch = tf.placeholder(tf.float32, [None, 1], name="pitch")
    steps = tf.unstack(tf.reshape(tone, [10, -1, 3]))
    cell = tf.nn.rnn_cell.BasicRNNCell(5)
    outputs, _ = tf.nn.static_rnn(cell, steps, dtype=tf.float32)
    guess = tf.layers.dense(outputs[-1], 1)
    loss = tf.losses.mean_squared_error(pitch, guess)
    return tf.train.AdamOptimizer().minimize(loss), loss
