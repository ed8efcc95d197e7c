import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [16, 10, 8])
att = tf.placeholder(tf.float32, [16, 10])
ctx = tf.reduce_sum(x * att, 1)
