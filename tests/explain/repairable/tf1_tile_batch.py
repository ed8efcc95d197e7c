import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
batch_size = 8
x = tf.placeholder(tf.float32, [None, 4])
query = tf.Variable(tf.zeros([1, 4]))
tiled = tf.tile(query, [batch_size, 1])
both = tf.concat([x, tiled], 1)
data = np.random.rand(20, 4)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(0, 20, batch_size):
        print(sess.run(both, {x: data[i:i + batch_size]}).shape)
