import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
points = np.random.rand(10, 4).astype("float32")
classes = np.random.randint(0, 3, (1, 10))
x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.float32, [None, None])
scores = tf.matmul(x, tf.Variable(tf.random_normal([4, 3])))
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=scores))
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run(loss, feed_dict={x: points, y: classes}))
