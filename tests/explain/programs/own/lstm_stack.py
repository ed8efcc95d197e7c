"""Forecasts the load of a power line from 24 hours. After a question on a public forum (SO 40331510)."""
import keras
import numpy as np
from keras import layers

hours = np.random.rand(40, 24, 3).astype("float32")
load = np.random.rand(40, 1).astype("float32")

forecast = keras.Sequential(name="forecast")
forecast.add(layers.LSTM(20))
forecast.add(layers.LSTM(10))
forecast.add(layers.Dense(1))
forecast.compile(loss="mse", optimizer="adam")
forecast.fit(hours, load, batch_size=8, epochs=1, verbose=0)
