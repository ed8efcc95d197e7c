"""trace tf1_matvec.py:rotate --tf1 --input point=3"""
import tensorflow as tf


def rotate(point):
    turn = tf.Variable(tf.eye(3))
    return tf.matmul(turn, point)
