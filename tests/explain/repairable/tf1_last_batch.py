import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
batch_size = 32
x = tf.placeholder(tf.float32, [None, 8])
y = tf.placeholder(tf.float32, [None, 2])
w = tf.Variable(tf.random_normal([8, 2]))
noise = tf.random_normal([batch_size, 2])
out = tf.matmul(x, w) + noise
loss = tf.reduce_mean(tf.square(out - y))
train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
xs, ys = np.random.rand(80, 8), np.random.rand(80, 2)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(0, 80, batch_size):
        sess.run(train, feed_dict={x: xs[i:i + batch_size], y: ys[i:i + batch_size]})
