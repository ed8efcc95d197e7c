"""trace tf1_binary.py:train --tf1 --input "scan=14,6; ill=14,1" """

import tensorflow as tf


def train(scan, ill):
    logit = tf.layers.dense(tf.layers.dense(scan, 9, tf.nn.relu), 1)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=ill, logits=logit)
    loss = tf.reduce_mean(each)
    guess = tf.round(tf.nn.sigmoid(logit))
    accuracy = tf.reduce_mean(tf.cast(tf.equal(guess, ill), tf.float32))
    return tf.train.RMSPropOptimizer(1e-3).minimize(loss), loss, accuracy
