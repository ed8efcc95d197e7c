import tensorflow as tf
q = tf.random.normal((2, 5, 8))
k = tf.random.normal((2, 7, 8))
v = tf.random.normal((2, 7, 8))
scores = tf.matmul(q, k)
out = tf.matmul(tf.nn.softmax(scores), v)
