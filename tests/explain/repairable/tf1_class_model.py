import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
class Model(object):
    def __init__(self, n_features, n_classes):
        self.x = tf.placeholder(tf.float32, [None, n_features], name="x")
        self.y = tf.placeholder(tf.float32, [None, n_classes], name="y")
        self.w = tf.Variable(tf.zeros([n_features, n_classes]))
        self.logits = tf.matmul(self.x, self.w)
        self.loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=self.y, logits=self.logits))
        self.train = tf.train.GradientDescentOptimizer(0.1).minimize(self.loss)
    def fit(self, X, Y):
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            feed = {self.x: X, self.y: Y}
            sess.run(self.train, feed_dict=feed)
m = Model(5, 3)
m.fit(np.random.rand(20, 6), np.eye(3)[np.random.randint(0, 3, 20)])
