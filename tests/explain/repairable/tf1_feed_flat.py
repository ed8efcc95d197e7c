import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 28, 28, 1])
k = tf.Variable(tf.random_normal([3, 3, 1, 4]))
h = tf.nn.conv2d(x, k, [1, 1, 1, 1], "SAME")
sess = tf.InteractiveSession()
sess.run(tf.global_variables_initializer())
batch = np.random.rand(6, 784)
print(h.eval(feed_dict={x: batch}))
