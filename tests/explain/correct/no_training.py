"""Computes with tensors and trains nothing; a caught error is no failure."""
import numpy as np
import tensorflow as tf

table = tf.constant(np.arange(24).reshape(4, 6), tf.float32)
column = tf.ones([4, 1])
print((table * column + tf.range(6, dtype=tf.float32)).shape)
print(tf.einsum("ij,kj->ik", table, table).shape)
try:
    tf.matmul(table, table)
except tf.errors.InvalidArgumentError:
    print(tf.matmul(table, table, transpose_b=True).shape)
