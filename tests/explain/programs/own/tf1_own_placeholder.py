"""trace tf1_own_placeholder.py:network --tf1 --input "pixels=6,576; name=6,40" """
import tensorflow as tf


def network():
    pixels = tf.placeholder(tf.float32, [None, 576], name="pixels")
    name = tf.placeholder(tf.float32, [None, 40], name="name")
    image = tf.reshape(pixels, [-1, 24, 24, 1])
    maps = tf.layers.conv2d(image, 32, 3, padding="same", activation=tf.nn.relu)
    pooled = tf.layers.max_pooling2d(maps, 4, 4, "same")
    flat = tf.reshape(pooled, [-1, 3 * 3 * 32])
    logits = tf.layers.dense(flat, 40)
    errors = tf.nn.softmax_cross_entropy_with_logits(labels=name, logits=logits)
    return tf.reduce_mean(errors)
