import numpy as np
import tensorflow as tf
xs = np.linspace(-1, 1, 50).astype("float32")
ys = 2 * xs + 1
w = tf.Variable(tf.random.normal([1, 1]))
b = tf.Variable(tf.zeros([1]))
opt = tf.keras.optimizers.SGD(0.1)
for epoch in range(3):
    with tf.GradientTape() as tape:
        pred = tf.matmul(xs, w) + b
        loss = tf.reduce_mean(tf.square(pred - ys))
    g = tape.gradient(loss, [w, b])
    opt.apply_gradients(zip(g, [w, b]))
