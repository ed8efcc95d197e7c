import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
vocab, dim, batch = 100, 16, 8
inputs = tf.placeholder(tf.int32, [batch])
labels = tf.placeholder(tf.int32, [batch])
emb = tf.Variable(tf.random_uniform([vocab, dim], -1, 1))
embed = tf.nn.embedding_lookup(emb, inputs)
w = tf.Variable(tf.truncated_normal([vocab, dim]))
b = tf.Variable(tf.zeros([vocab]))
loss = tf.reduce_mean(tf.nn.nce_loss(weights=w, biases=b, labels=labels, inputs=embed, num_sampled=4, num_classes=vocab))
