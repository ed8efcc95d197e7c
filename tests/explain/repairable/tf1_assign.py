import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
v = tf.Variable(tf.zeros([4, 3]))
new = tf.constant(np.random.rand(3, 4), tf.float32)
op = v.assign(new)
