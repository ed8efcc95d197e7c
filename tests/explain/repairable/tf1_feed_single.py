import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 4])
w = tf.Variable(tf.random_normal([4, 2]))
y = tf.matmul(x, w)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sample = np.array([1, 2, 3, 4])
    print(sess.run(y, feed_dict={x: sample}))
