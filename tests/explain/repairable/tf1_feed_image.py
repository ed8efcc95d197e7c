import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
images = np.random.rand(10, 32, 32, 3)
X = tf.placeholder(tf.float32, shape=(None, 32, 32, 3), name="X")
f = tf.Variable(tf.random_normal([3, 3, 3, 4]))
conv = tf.nn.conv2d(X, f, strides=[1, 1, 1, 1], padding="SAME")
sess = tf.Session()
sess.run(tf.global_variables_initializer())
out = sess.run(conv, feed_dict={X: images[0]})
