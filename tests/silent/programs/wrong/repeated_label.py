"""Predicts one number a series; the recurrent layer returns all of its steps."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
series = np.random.rand(80, 14, 2).astype("float32")
following = series[:, -1, :1]

model = keras.Sequential()
model.add(keras.Input((14, 2)))
model.add(layers.LSTM(6, return_sequences=True))
model.add(layers.Dense(1))
model.compile("adam", "mse")
model.fit(series, following, batch_size=16, epochs=1, verbose=0)
