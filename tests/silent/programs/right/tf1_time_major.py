"""trace tf1_time_major.py:train --tf1 --input "rows=24,20,12:float32:batch,height,width; digit=24:int64" """

import tensorflow as tf


def train(rows, digit):
    by_time = tf.transpose(rows, [1, 0, 2])
    flat = tf.reshape(by_time, [-1, 12])
    hidden = tf.nn.relu(tf.layers.dense(flat, 16))
    steps = tf.split(hidden, 20, 0)
    cell = tf.nn.rnn_cell.BasicRNNCell(16)
    outputs, _ = tf.nn.static_rnn(cell, steps, dtype=tf.float32)
    logits = tf.layers.dense(outputs[-1], 7)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=digit, logits=logits)
    loss = tf.reduce_mean(each)
    correct = tf.equal(tf.argmax(logits, 1), digit)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    return tf.train.AdamOptimizer(1e-3).minimize(loss), loss, accuracy
