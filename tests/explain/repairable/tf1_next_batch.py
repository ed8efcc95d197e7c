import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
class Data:
    def __init__(self):
        self.images = np.random.rand(100, 28, 28)
        self.labels = np.eye(10)[np.random.randint(0, 10, 100)]
        self.at = 0
    def next_batch(self, n):
        s = slice(self.at, self.at + n)
        self.at += n
        return self.images[s], self.labels[s]
data = Data()
x = tf.placeholder(tf.float32, [None, 784])
y = tf.placeholder(tf.float32, [None, 10])
W = tf.Variable(tf.zeros([784, 10]))
b = tf.Variable(tf.zeros([10]))
logits = tf.matmul(x, W) + b
cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
optimizer = tf.train.GradientDescentOptimizer(0.5).minimize(cost)
def train(epochs):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(epochs):
            for _ in range(5):
                batch_xs, batch_ys = data.next_batch(20)
                _, c = sess.run([optimizer, cost], feed_dict={x: batch_xs, y: batch_ys})
train(1)
