import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
a = tf.placeholder(tf.float32, [None, 10])
b = tf.placeholder(tf.float32, [None, 6])
h = tf.concat([a, b], 1)
w = tf.get_variable("w", [10, 3])
out = tf.matmul(h, w)
