import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
X = tf.placeholder(tf.float32, [None, 3])
Y = tf.placeholder(tf.float32, [None])
w = tf.Variable(tf.zeros([3, 1]))
pred = tf.squeeze(tf.matmul(X, w), 1)
cost = tf.reduce_mean(tf.square(pred - Y))
train = tf.train.AdamOptimizer().minimize(cost)
xs, ys = np.random.rand(12, 3), np.random.rand(12, 1)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    _, c = sess.run([train, cost], feed_dict={X: xs, Y: ys})
