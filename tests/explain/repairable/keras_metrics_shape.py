import numpy as np
import tensorflow as tf
x = np.random.rand(32, 8).astype("float32")
y = np.random.randint(0, 3, (32, 1))
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(3)])
loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss=loss, metrics=[tf.keras.metrics.CategoricalAccuracy()])
model.fit(x, y, batch_size=8, epochs=1, verbose=0)
