import numpy as np
from keras import Sequential
from keras.layers import Conv2D, MaxPooling2D, GRU, Dense
m = Sequential()
m.add(Conv2D(4, (3, 3), input_shape=(16, 16, 1), padding="same"))
m.add(MaxPooling2D())
m.add(GRU(8))
m.add(Dense(3))
m.compile("adam", "mse")
m.fit(np.random.rand(4, 16, 16, 1), np.random.rand(4, 3), verbose=0)
