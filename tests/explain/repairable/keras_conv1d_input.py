import numpy as np
from keras.models import Sequential
from keras.layers import Conv1D, Flatten, Dense, MaxPooling1D
X = np.random.rand(40, 30)
Y = np.random.randint(0, 2, 40)
model = Sequential()
model.add(Conv1D(filters=8, kernel_size=3, activation="relu", input_shape=(X.shape[1],)))
model.add(MaxPooling1D(2))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(X, Y, epochs=1, verbose=0)
