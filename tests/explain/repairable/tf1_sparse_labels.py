import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
X = tf.placeholder(tf.float32, [None, 6])
Y = tf.placeholder(tf.int64, [None, 3])
W = tf.Variable(tf.random_normal([6, 3]))
logits = tf.matmul(X, W)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=Y, logits=logits))
