import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def body(count, rows):
    return count + 1, tf.concat([rows, tf.zeros([1, 4])], 0)


begin = tf.ones([1, 4])
_, rows = tf.while_loop(lambda count, _: count < 5, body, [tf.constant(0), begin])
with tf.Session() as session:
    print(session.run(rows).shape)
