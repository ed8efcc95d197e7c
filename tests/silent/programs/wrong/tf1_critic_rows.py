"""trace tf1_critic_rows.py:train --tf1 --input "coin=6,16,16,1" """

import tensorflow as tf


def train():
    coin = tf.placeholder(tf.float32, [None, 16, 16, 1], name="coin")
    maps = tf.layers.conv2d(coin, 8, 3, 2, "same", activation=tf.nn.leaky_relu)
    flat = tf.reshape(maps, [-1, 4 * 4 * 8])
    logit = tf.layers.dense(flat, 1)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(logit), logits=logit)
    loss = tf.reduce_mean(each)
    return tf.train.AdamOptimizer(2e-4).minimize(loss), loss
