import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
batch_size = 16
data = np.random.rand(40, 6).astype(np.float32)
X = tf.placeholder(tf.float32, [batch_size, 6])
w = tf.Variable(tf.ones([6, 1]))
out = tf.matmul(X, w)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for s in range(0, 40, batch_size):
        print(sess.run(out, feed_dict={X: data[s:s + batch_size]}).shape)
