import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def kernel(sizes):
    return tf.Variable(tf.truncated_normal(sizes, stddev=0.1))


pixels = tf.placeholder(tf.float32, shape=[None, 32 * 32 * 3])
images = tf.reshape(pixels, [-1, 32, 32, 3])
edges = kernel([5, 5, 1, 16])
drawn = tf.nn.relu(tf.nn.conv2d(images, edges, strides=[1, 1, 1, 1], padding="SAME"))
