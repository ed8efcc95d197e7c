import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, Flatten, Dense
X = np.random.rand(8, 3, 16, 16)
y = np.random.randint(0, 2, 8)
model = Sequential()
model.add(Conv2D(4, (3, 3), input_shape=(16, 16, 3)))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy")
model.fit(X, y, verbose=0)
