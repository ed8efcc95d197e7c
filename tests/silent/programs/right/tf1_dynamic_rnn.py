"""trace tf1_dynamic_rnn.py:train --tf1 --input "days=18,15,9; mood=18,4" """

import tensorflow as tf

STEPS, SIZE, HIDDEN = 15, 9, 20


def train(days, mood):
    rows = tf.reshape(days, [-1, SIZE])
    weights = tf.Variable(tf.random_normal([SIZE, HIDDEN]))
    inputs = tf.reshape(tf.matmul(rows, weights), [-1, STEPS, HIDDEN])
    cell = tf.nn.rnn_cell.GRUCell(HIDDEN)
    outputs, _ = tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32)
    last = tf.unstack(tf.transpose(outputs, [1, 0, 2]))[-1]
    logits = tf.layers.dense(last, 4)
    each = tf.nn.softmax_cross_entropy_with_logits_v2(labels=mood, logits=logits)
    loss = tf.reduce_mean(each)
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(mood, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    return tf.train.AdamOptimizer(1e-3).minimize(loss), loss, accuracy
