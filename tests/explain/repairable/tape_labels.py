import numpy as np
import tensorflow as tf
BATCH = 16
x = np.random.rand(40, 5).astype("float32")
y = np.random.randint(0, 3, 40)
ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(3)])
opt = tf.keras.optimizers.Adam()
for step, (xb, yb) in enumerate(ds):
    with tf.GradientTape() as tape:
        logits = model(xb)
        onehot = tf.reshape(tf.one_hot(yb, 3), [BATCH, 3])
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(onehot, logits))
    g = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(g, model.trainable_variables))
