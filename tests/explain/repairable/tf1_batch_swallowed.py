import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
batch_size = 10
x = tf.placeholder(tf.float32, [None, 28, 28, 1])
y_ = tf.placeholder(tf.float32, [None, 10])
W = tf.Variable(tf.truncated_normal([3, 3, 1, 8], stddev=0.1))
h = tf.nn.relu(tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding='SAME'))
h = tf.nn.max_pool(h, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
W_fc = tf.Variable(tf.truncated_normal([7 * 7 * 8, 10], stddev=0.1))
flat = tf.reshape(h, [-1, 7 * 7 * 8])
logits = tf.matmul(flat, W_fc)
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_, logits=logits))
train = tf.train.AdamOptimizer(1e-3).minimize(loss)
sess = tf.Session()
sess.run(tf.global_variables_initializer())
sess.run(train, feed_dict={x: np.random.rand(batch_size, 28, 28, 1), y_: np.eye(10)})
