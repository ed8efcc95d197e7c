import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 5])
keep = tf.placeholder(tf.float32, [])
y = tf.nn.dropout(x, keep_prob=keep)
with tf.Session() as s:
    s.run(y, {x: np.random.rand(3, 5), keep: [0.5]})
