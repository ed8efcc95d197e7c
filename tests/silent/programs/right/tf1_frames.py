"""trace tf1_frames.py:train --tf1 --input "film=6,5,8,8,1:float32:batch,,,,; deed=6,3" """

import tensorflow as tf


def train():
    film = tf.placeholder(tf.float32, [None, 5, 8, 8, 1], name="film")
    deed = tf.placeholder(tf.float32, [None, 3], name="deed")
    frames = tf.reshape(film, [-1, 8, 8, 1])
    maps = tf.layers.conv2d(frames, 4, 3, 2, "same", activation=tf.nn.relu)
    steps = tf.reshape(tf.layers.flatten(maps), [-1, 5, 64])
    logits = tf.layers.dense(tf.layers.flatten(steps), 3)
    loss = tf.losses.softmax_cross_entropy(deed, logits)
    return tf.train.AdamOptimizer().minimize(loss), loss
