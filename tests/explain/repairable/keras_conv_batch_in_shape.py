import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, Flatten, Dense
x_train = np.random.rand(16, 28, 28, 1)
y_train = np.random.randint(0, 10, 16)
model = Sequential()
model.add(Conv2D(8, kernel_size=3, activation="relu", input_shape=x_train.shape))
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train, y_train, verbose=0)
