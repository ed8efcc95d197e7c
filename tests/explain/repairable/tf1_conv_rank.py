import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 28, 28])
k = tf.Variable(tf.random_normal([3, 3, 1, 4]))
c = tf.nn.conv2d(x, k, strides=[1, 1, 1, 1], padding="VALID")
