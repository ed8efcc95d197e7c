import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 3072])
img = tf.reshape(x, [-1, 28, 28, 3])
m = tf.reduce_mean(img)
with tf.Session() as sess:
    print(sess.run(m, {x: np.random.rand(5, 3072)}))
