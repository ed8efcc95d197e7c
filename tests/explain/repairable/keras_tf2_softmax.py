import tensorflow as tf
x = tf.random.uniform((32, 784))
W = tf.Variable(tf.random.normal((10, 784)))
b = tf.Variable(tf.zeros((10,)))
logits = tf.matmul(x, W) + b
print(tf.nn.softmax(logits).shape)
