import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def kernel(sizes):
    return tf.Variable(tf.truncated_normal(sizes, stddev=0.1))


def halved(images, weights):
    images = tf.nn.relu(tf.nn.conv2d(images, weights, strides=[1, 1, 1, 1], padding="SAME"))
    return tf.nn.max_pool(images, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


pixels = tf.placeholder(tf.float32, [None, 36 * 36])
images = tf.reshape(pixels, [-1, 36, 36, 1])
images = halved(images, kernel([5, 5, 1, 8]))
images = halved(images, kernel([5, 5, 8, 16]))
rows_kernel = kernel([7 * 7 * 16, 32])
rows = tf.reshape(images, [-1, 9 * 9 * 16])
scores = tf.nn.relu(tf.matmul(rows, rows_kernel))
