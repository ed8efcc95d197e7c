"""Forecasts two series with a stack of LSTM layers and a rest of a batch."""
import numpy as np
from keras.layers import LSTM, Bidirectional, Dense, TimeDistributed
from keras.models import Sequential

series = np.random.rand(26, 10, 2)
model = Sequential()
model.add(Bidirectional(LSTM(5, return_sequences=True), input_shape=(10, 2)))
model.add(LSTM(6, return_sequences=True))
model.add(TimeDistributed(Dense(2)))
model.compile(optimizer="adam", loss="mse")
model.fit(series, np.roll(series, -1, axis=1), batch_size=8, epochs=1, verbose=0)
