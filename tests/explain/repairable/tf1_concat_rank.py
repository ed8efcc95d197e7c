import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
feat = tf.placeholder(tf.float32, [None, 4, 4, 8])
meta = tf.placeholder(tf.float32, [None, 5])
both = tf.concat([feat, meta], 1)
