import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
kinds = 10
kernels = {
    "first": tf.Variable(tf.random_normal([5, 5, 1, 8])),
    "second": tf.Variable(tf.random_normal([5, 5, 8, 16])),
    "rows": tf.Variable(tf.random_normal([7*7*16, 32])),
    "last": tf.Variable(tf.random_normal([32, kinds])),
}
offsets = {"rows": tf.Variable(tf.zeros([32])), "last": tf.Variable(tf.zeros([kinds]))}


def halved(images, kernel):
    images = tf.nn.relu(tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME"))
    return tf.nn.max_pool(images, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def network(pixels):
    images = tf.reshape(pixels, shape=[-1, 32, 32, 1])
    images = halved(halved(images, kernels["first"]), kernels["second"])
    rows = tf.reshape(images, [-1, kernels["rows"].get_shape().as_list()[0]])
    rows = tf.nn.relu(tf.matmul(rows, kernels["rows"]) + offsets["rows"])
    return tf.matmul(rows, kernels["last"]) + offsets["last"]


pixels = tf.placeholder(tf.float32, [None, 1024])
scores = network(pixels)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(scores, feed_dict={pixels: np.random.rand(4, 1024)})
