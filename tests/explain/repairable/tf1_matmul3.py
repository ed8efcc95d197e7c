import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
steps, hidden, classes = 6, 16, 4
seq = tf.placeholder(tf.float32, [None, steps, 10])
w = tf.Variable(tf.random_normal([hidden, classes]))
out = tf.matmul(tf.reshape(seq, [-1, 10]), w)
