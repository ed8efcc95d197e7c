import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(2, 3),
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(4),
])
model.compile("sgd", "mse")
small = np.random.rand(8, 12, 12, 1)
model.fit(small, np.random.rand(8, 4), verbose=0)
large = np.random.rand(3, 16, 16, 1)
print(model.predict(large, verbose=0).shape)
