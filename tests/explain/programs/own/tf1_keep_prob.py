"""trace tf1_keep_prob.py:network --tf1 --input "features=5,12; keep=" """
import tensorflow as tf


def network():
    features = tf.placeholder(tf.float32, [None, 12], name="features")
    keep = tf.placeholder(tf.float32, name="keep")
    hidden = tf.layers.dense(features, 6, activation=tf.nn.relu)
    return tf.layers.dense(hidden * keep, 2)
