import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, Flatten, Dense
x_train = np.random.rand(32, 28, 28)
y_train = np.random.randint(0, 10, 32)
x_test = np.random.rand(8, 28, 28)
y_test = np.random.randint(0, 10, 8)
model = Sequential()
model.add(Conv2D(8, (3, 3), activation="relu", input_shape=(28, 28)))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x_train, y_train, epochs=1, validation_data=(x_test, y_test), verbose=0)
