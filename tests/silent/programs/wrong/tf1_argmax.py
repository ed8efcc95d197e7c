"""trace tf1_argmax.py:train --tf1 --input "x=10,4; y=10,1" """

import tensorflow as tf


def train(x, y):
    w = tf.Variable(tf.random_normal([4, 1], stddev=0.1))
    b = tf.Variable(tf.zeros([1]))
    prediction = tf.sigmoid(tf.matmul(x, w) + b)
    loss = tf.reduce_mean(-y * tf.log(prediction + 1e-7))
    correct = tf.equal(tf.argmax(prediction, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, "float"))
    return tf.train.GradientDescentOptimizer(0.01).minimize(loss), loss, accuracy
