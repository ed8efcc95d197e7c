"""Sorts small pictures into five kinds. After tensorflow/tensorflow #32450."""
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()

batch_size = 12
pictures = np.random.rand(48, 6, 6, 3).astype(np.float32)
kinds = np.random.randint(0, 5, 48)

images = tf.placeholder(tf.float32, [None, 6, 6, 3], name='images')
labels = tf.placeholder(tf.float32, [None, None], name='labels')

w = tf.get_variable('w', [108, 5])
b = tf.get_variable('b', [5], initializer=tf.zeros_initializer())
logits = tf.matmul(tf.reshape(images, [-1, 108]), w) + b
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))
train = tf.train.AdamOptimizer(1e-3).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(0, len(pictures), batch_size):
        batch_x = pictures[i:i + batch_size]
        batch_y = kinds[i:i + batch_size].reshape(1, -1)
        _, value = sess.run([train, loss], feed_dict={images: batch_x, labels: batch_y})
