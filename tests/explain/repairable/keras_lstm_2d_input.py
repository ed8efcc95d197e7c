import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, Dense
X = np.random.rand(30, 10)
y = np.random.rand(30)
model = Sequential()
model.add(LSTM(16, input_shape=(10, 1)))
model.add(Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(X.reshape(30, 1, 10), y, epochs=1, verbose=0)
