import numpy as np
import tensorflow as tf
n_features, n_steps = 3, 7
X = np.random.rand(40, n_steps, n_features)
y = np.random.rand(40, 1)
model = tf.keras.Sequential()
model.add(tf.keras.layers.LSTM(8, input_shape=(n_features, n_steps)))
model.add(tf.keras.layers.Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(X, y, epochs=1, verbose=0)
