import numpy as np
from keras.models import Sequential
from keras.layers import TimeDistributed, Conv2D, Flatten, LSTM, Dense, MaxPooling2D
frames = np.random.rand(6, 5, 16, 16, 1)
y = np.random.rand(6, 1)
model = Sequential()
model.add(TimeDistributed(Conv2D(4, (3, 3), activation="relu"), input_shape=(5, 16, 16, 1)))
model.add(TimeDistributed(MaxPooling2D((2, 2))))
model.add(LSTM(8))
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(frames, y, verbose=0)
