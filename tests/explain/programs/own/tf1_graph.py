"""Builds a network for pictures of numbers, with weights of its own."""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
numbers = tf.placeholder(tf.float32, [None, 20, 20, 1])
first = tf.Variable(tf.random_normal([3, 3, 1, 6]))
second = tf.Variable(tf.random_normal([3, 3, 6, 6]))
dense = tf.Variable(tf.random_normal([10 * 10 * 6, 10]))
x = numbers
for kernel in (first, second):
    x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME"))
    x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
flat = tf.reshape(x, [-1, 5 * 5 * 6])
logits = tf.matmul(flat, dense)
print(logits)
