import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.constant(np.random.rand(3, 4))
w = tf.Variable(tf.random_normal([4, 2]))
y = tf.matmul(x, w)
