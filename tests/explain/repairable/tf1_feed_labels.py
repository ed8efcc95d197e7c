import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
train_x = np.random.rand(50, 20)
train_y = np.random.randint(0, 3, 50)
x = tf.placeholder(tf.float32, [None, 20])
y = tf.placeholder(tf.float32, [None, 3])
W = tf.Variable(tf.zeros([20, 3]))
b = tf.Variable(tf.zeros([3]))
pred = tf.matmul(x, W) + b
cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=pred))
opt = tf.train.GradientDescentOptimizer(0.1).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(5):
        batch_x, batch_y = train_x[i * 10:(i + 1) * 10], train_y[i * 10:(i + 1) * 10]
        sess.run(opt, feed_dict={x: batch_x, y: batch_y})
