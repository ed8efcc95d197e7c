"""trace tf1_time_major.py:network --tf1 --input "rows=64,20,12:float32:batch,height,width; digit=64" """
import tensorflow as tf


def network(rows, digit):
    by_time = tf.transpose(rows, [1, 0, 2])
    steps = tf.split(tf.reshape(by_time, [-1, 12]), 20, 0)
    logits = tf.layers.dense(steps[-1], 7)
    return tf.nn.softmax_cross_entropy_with_logits(labels=digit, logits=logits)
