import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
vocab = 100
ids = tf.placeholder(tf.int32, [None, 5])
emb = tf.get_variable("emb", [vocab, 8])
look = tf.nn.embedding_lookup(emb, ids)
data = np.random.randint(0, 110, (20, 5))
data[0, 0] = 109
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(look, {ids: data})
