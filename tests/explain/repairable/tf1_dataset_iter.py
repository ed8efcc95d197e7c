import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
BATCH = 16
data = np.random.rand(50, 12).astype(np.float32)
it = tf.data.make_one_shot_iterator(tf.data.Dataset.from_tensor_slices(data).batch(BATCH))
x = it.get_next()
img = tf.reshape(x, [BATCH, 3, 4])
m = tf.reduce_mean(img, [1, 2])
with tf.Session() as s:
    while True:
        try:
            print(s.run(m).shape)
        except tf.errors.OutOfRangeError:
            break
