import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 8])
y_ = tf.placeholder(tf.float32, [None, 3])
y = tf.nn.softmax(tf.matmul(x, tf.Variable(tf.zeros([8, 4]))))
cross = -tf.reduce_sum(y_ * tf.log(y))
