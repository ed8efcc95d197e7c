import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
images = tf.placeholder(tf.float32, [20, 28, 28, 3])
flat = tf.reshape(images, [20, 784])
