"""trace tf1_column_labels.py:train --tf1 --input "word=9,7; topic=9,1:int64" """

import tensorflow as tf


def train():
    word = tf.placeholder(tf.float32, [None, 7], name="word")
    topic = tf.placeholder(tf.int64, [None, 1], name="topic")
    hidden = tf.layers.dense(word, 12, activation=tf.nn.relu)
    logits = tf.layers.dense(hidden, 5)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=topic, logits=logits)
    correct = tf.equal(tf.argmax(logits, 1), topic)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    return tf.train.AdamOptimizer(1e-3).minimize(loss), loss, accuracy
