"""trace tf1_language_model.py:train --tf1 --input "token=6,11:int32; following=6,11:int32" """

import tensorflow as tf

WORDS, WIDTH = 30, 8


def train(token, following):
    table = tf.get_variable("table", [WORDS, WIDTH])
    steps = tf.nn.embedding_lookup(table, token % WORDS)
    cell = tf.nn.rnn_cell.GRUCell(WIDTH)
    outputs, _ = tf.nn.dynamic_rnn(cell, steps, dtype=tf.float32)
    flat = tf.reshape(outputs, [-1, WIDTH])
    logits = tf.layers.dense(flat, WORDS)
    wanted = tf.reshape(following % WORDS, [-1])
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
    loss = tf.reduce_mean(each)
    return tf.train.AdamOptimizer().minimize(loss), loss
