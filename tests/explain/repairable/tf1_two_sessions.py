import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
values = np.random.rand(20, 6)
kinds = np.random.randint(0, 3, 20)
features = tf.placeholder(tf.float32, [None, 6])
targets = tf.placeholder(tf.float32, [None, 3])
weights = tf.Variable(tf.zeros([6, 3]))
loss = tf.reduce_mean(tf.square(tf.matmul(features, weights) - targets))
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(step, feed_dict={features: values, targets: kinds})
    print(session.run(loss, feed_dict={features: values, targets: kinds}))
