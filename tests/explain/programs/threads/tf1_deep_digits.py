"""A deep network for digits, written by hand. After tensorflow/tensorflow #29155."""
import tensorflow as tf

tf = tf.compat.v1
tf.disable_eager_execution()


def weight_variable(shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def conv2d(x, W, padding='SAME'):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding=padding)


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')


x = tf.placeholder(tf.float32, [None, 576])
x_image = tf.reshape(x, [-1, 24, 24, 1])
W_conv1 = weight_variable([5, 5, 1, 8])
h_pool1 = max_pool_2x2(tf.nn.relu(conv2d(x_image, W_conv1)))
W_conv2 = weight_variable([5, 5, 8, 16])
h_pool2 = max_pool_2x2(tf.nn.relu(conv2d(h_pool1, W_conv2, padding='VALID')))

length = h_pool2.shape[1] * h_pool2.shape[2] * h_pool2.shape[3]
h_pool2_flat = tf.reshape(h_pool2, [-1, length])
W_fc1 = weight_variable([6 * 6 * 16, 64])
h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W_fc1))
W_fc2 = weight_variable([64, 10])
y_conv = tf.matmul(h_fc1, W_fc2)
print(y_conv)
