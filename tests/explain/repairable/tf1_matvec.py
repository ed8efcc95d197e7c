import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
A = tf.constant([[1.0, 2.0], [3.0, 4.0]])
v = tf.constant([1.0, 2.0])
y = tf.matmul(A, v)
with tf.Session() as s:
    print(s.run(y))
