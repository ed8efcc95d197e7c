import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
X = tf.placeholder(tf.float32, [None, 7])
W = tf.Variable(tf.random_normal([7, 3]))
out = tf.matmul(W, X)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run(out, {X: np.random.rand(5, 7)}).shape)
