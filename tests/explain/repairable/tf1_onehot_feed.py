import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
features = tf.placeholder(tf.float32, [None, 10])
labels = tf.placeholder(tf.int64, [None])
logits = tf.matmul(features, tf.Variable(tf.random_normal([10, 4])))
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
X = np.random.rand(12, 10)
Y = np.eye(4)[np.random.randint(0, 4, 12)]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss, feed_dict={features: X, labels: Y}))
