"""Fills a table with two loops, one in the other. After tensorflow/tensorflow #45337."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
ROWS, COLUMNS = 3, 4


def body_i(i, table):
    def cond_j(j, row):
        return j < COLUMNS

    def body_j(j, row):
        value = tf.cast(2 * i + 3 * j, tf.float32)
        row = tf.concat([row, [value]], axis=0)
        return [j + 1, row]

    start = tf.zeros([0])
    _, row = tf.while_loop(cond_j, body_j, [tf.constant(0), start])
    return [i + 1, tf.concat([table, row], axis=0)]


i = tf.constant(0)
table = tf.zeros([0])
_, table = tf.while_loop(
    lambda i, _: i < ROWS, body_i, [i, table],
    shape_invariants=[i.get_shape(), tf.TensorShape([None])])
with tf.Session() as session:
    print(session.run(table).reshape(ROWS, COLUMNS))
