import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
def conv(x, n_in, n_out):
    k = tf.get_variable("k%d" % n_out, [3, 3, n_in, n_out])
    y = tf.nn.relu(tf.nn.conv2d(x, k, [1, 1, 1, 1], "SAME"))
    return tf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
def dense(x, n_in, n_out, name):
    w = tf.get_variable(name + "_w", [n_in, n_out])
    return tf.matmul(x, w)
size = 48
x = tf.placeholder(tf.float32, [None, size, size, 3])
h = conv(conv(conv(x, 3, 8), 8, 16), 16, 32)
flat = tf.reshape(h, [-1, 6 * 6 * 32])
h = dense(flat, 12 * 12 * 32, 64, "fc1")
out = dense(h, 64, 2, "fc2")
