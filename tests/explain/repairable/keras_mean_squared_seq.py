import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, Dense
x = np.random.rand(10, 6, 2)
y = np.random.rand(10, 6, 2)
m = Sequential()
m.add(LSTM(8, input_shape=(6, 2)))
m.add(Dense(2))
m.compile("adam", "mse")
m.fit(x, y, verbose=0)
