"""Sorts signals with a graph and a session."""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
signals = tf.placeholder(tf.float32, [None, 20], name="signals")
kinds = tf.placeholder(tf.int64, [None], name="kinds")
weights = tf.get_variable("weights", [20, 4])
offset = tf.get_variable("offset", [4], initializer=tf.zeros_initializer())
logits = tf.matmul(signals, weights) + offset
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=kinds, logits=logits))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
right = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), kinds), tf.float32))
x, y = np.random.rand(50, 20), np.random.randint(0, 4, 50)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for start in range(0, 50, 16):
        session.run(train, {signals: x[start:start + 16], kinds: y[start:start + 16]})
    print(session.run([loss, right], {signals: x, kinds: y}))
