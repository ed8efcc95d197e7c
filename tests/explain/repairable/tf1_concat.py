import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
a = tf.placeholder(tf.float32, [None, 10])
b = tf.placeholder(tf.float32, [None, 5])
t1 = tf.zeros([4, 3])
t2 = tf.zeros([4, 5])
c = tf.concat([t1, t2], 0)
