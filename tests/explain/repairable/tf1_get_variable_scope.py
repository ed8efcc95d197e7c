import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
def fc(x, n_in, n_out, name):
    with tf.variable_scope(name):
        w = tf.get_variable("w", shape=[n_in, n_out])
        b = tf.get_variable("b", shape=[n_out])
        return tf.nn.relu(tf.matmul(x, w) + b)
x = tf.placeholder(tf.float32, [None, 50])
h1 = fc(x, 50, 40, "fc1")
h2 = fc(h1, 30, 20, "fc2")
logits = fc(h2, 20, 5, "out")
