import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.utils import to_categorical
X = np.random.rand(40, 4)
Y = to_categorical(np.random.randint(0, 3, 40))
model = Sequential()
model.add(Dense(6, input_dim=4, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, Y, verbose=0)
