import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [1, 4])
y = tf.placeholder(tf.float32, [1, 1])
w = tf.Variable(tf.zeros([4, 1]))
loss = tf.square(tf.matmul(x, w) - y)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
X, Y = np.random.rand(10, 4), np.random.rand(10)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for xi, yi in zip(X, Y):
        sess.run(train, {x: xi, y: yi})
