import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
images = tf.placeholder(tf.float32, [None, 28, 28, 1])
w = {"c1": tf.Variable(tf.random_normal([5, 5, 1, 32])), "c2": tf.Variable(tf.random_normal([5, 5, 32, 64]))}
b = {"c1": tf.Variable(tf.random_normal([32])), "c2": tf.Variable(tf.random_normal([32]))}
h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, w["c1"], strides=[1, 1, 1, 1], padding="SAME"), b["c1"]))
h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(h, w["c2"], strides=[1, 1, 1, 1], padding="SAME"), b["c2"]))
