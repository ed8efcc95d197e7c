"""trace tf1_session_inside.py:evaluate --tf1"""
import tensorflow as tf

signal = tf.placeholder(tf.float32, [None, 3])
level = tf.layers.dense(signal, 2)


def evaluate():
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return level.eval(feed_dict={signal: [[0.5, 1.0, 1.5]]})
