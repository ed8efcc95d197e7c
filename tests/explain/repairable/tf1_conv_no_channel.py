import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
pixels = tf.placeholder(tf.float32, [None, 784])
images = tf.reshape(pixels, [-1, 28, 28])
w = tf.get_variable("w", [5, 5, 1, 8])
conv = tf.nn.conv2d(images, w, strides=[1, 1, 1, 1], padding="SAME")
