"""trace tf1_argmax_of_one.py:accuracy --tf1 --input "scan=6,3; ill=6,1" """
import tensorflow as tf


def accuracy(scan, ill):
    score = tf.layers.dense(scan, 1)
    right = tf.equal(tf.argmax(ill, 1), tf.argmax(score, 1))
    return tf.reduce_mean(tf.cast(right, tf.float32))
