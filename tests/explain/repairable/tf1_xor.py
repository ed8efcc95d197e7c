import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x_data = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y_data = np.array([0, 1, 1, 0], dtype=np.float32)
X = tf.placeholder(tf.float32, [None, 2])
Y = tf.placeholder(tf.float32, [None, 1])
W1 = tf.Variable(tf.random_normal([2, 4]))
b1 = tf.Variable(tf.zeros([4]))
W2 = tf.Variable(tf.random_normal([2, 1]))
b2 = tf.Variable(tf.zeros([1]))
h = tf.sigmoid(tf.matmul(X, W1) + b1)
hyp = tf.sigmoid(tf.matmul(h, W2) + b2)
cost = -tf.reduce_mean(Y * tf.log(hyp) + (1 - Y) * tf.log(1 - hyp))
train = tf.train.GradientDescentOptimizer(0.1).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train, feed_dict={X: x_data, Y: y_data.reshape(-1, 1)})
