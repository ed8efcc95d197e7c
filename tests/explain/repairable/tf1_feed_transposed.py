import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
a = tf.placeholder(tf.float32, shape=(3, 2))
b = tf.reduce_sum(a, 1)
data = np.random.rand(2, 3)
with tf.Session() as s:
    print(s.run(b, {a: data}))
