import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
batch = 4
z = tf.placeholder(tf.float32, [batch, 7, 7, 16])
w = tf.get_variable("w", [5, 5, 8, 32])
d = tf.nn.conv2d_transpose(z, w, output_shape=[batch, 14, 14, 8], strides=[1, 2, 2, 1])
