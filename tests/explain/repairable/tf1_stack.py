import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
a = tf.zeros([3, 4]); b = tf.zeros([3, 5])
c = tf.stack([a, b])
