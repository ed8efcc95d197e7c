"""Reads digits with two layers of its own. After tensorflow/tensorflow #30397."""
import tensorflow.compat.v1 as tf
import numpy as np

tf.disable_v2_behavior()

x_train = np.random.rand(90, 8, 8).astype('float32')
y_train = np.random.randint(0, 10, 90)
x_train = x_train.reshape(x_train.shape[0], 64)


class NeuralNetwork:
    @staticmethod
    def add_layer(inputs, in_size, out_size, activation_function=None):
        weights = tf.Variable(tf.random_normal([in_size, out_size]))
        biases = tf.Variable(tf.zeros([out_size]) + 0.1)
        wx_plus_b = tf.matmul(inputs, weights) + biases
        return wx_plus_b if activation_function is None else activation_function(wx_plus_b)


xs = tf.placeholder(tf.float32, [None, 64])
ys = tf.placeholder(tf.float32, [None, 10])
hidden = NeuralNetwork.add_layer(xs, 64, 20, activation_function=tf.nn.tanh)
prediction = NeuralNetwork.add_layer(hidden, 20, 10, activation_function=tf.nn.softmax)
cross_entropy = tf.reduce_mean(-tf.reduce_sum(ys * tf.log(prediction + 1e-8), axis=1))
train_step = tf.train.GradientDescentOptimizer(0.1).minimize(cross_entropy)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
for i in range(3):
    sess.run(train_step, feed_dict={xs: x_train, ys: y_train})
    print(sess.run(cross_entropy, feed_dict={xs: x_train, ys: y_train}))
