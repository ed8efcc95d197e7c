"""Recommends films from the stars that people gave. After tensorflow/tensorflow #35074."""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

users = np.arange(60) % 12
items = 3 * (np.arange(60) % 20)
stars = np.random.randint(1, 6, 60).astype(np.float32)
n_users = len(np.unique(users))
n_items = len(np.unique(items))

user = tf.placeholder(tf.int32, [None])
item = tf.placeholder(tf.int32, [None])
star = tf.placeholder(tf.float32, [None])
user_factors = tf.get_variable('user_factors', [n_users, 4])
item_factors = tf.get_variable('item_factors', [n_items, 4])
user_vector = tf.nn.embedding_lookup(user_factors, user)
item_vector = tf.nn.embedding_lookup(item_factors, item)
predicted = tf.reduce_sum(user_vector * item_vector, axis=1)
loss = tf.reduce_mean(tf.square(predicted - star))
train_op = tf.train.AdamOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(2):
        sess.run(train_op, feed_dict={user: users, item: items, star: stars})
