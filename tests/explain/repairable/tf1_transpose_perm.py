import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 20, 8])
y = tf.transpose(x, [1, 0])
