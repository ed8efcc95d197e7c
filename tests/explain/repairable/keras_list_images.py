import numpy as np
from keras.models import Sequential
from keras.layers import Conv2D, Flatten, Dense
data = []
for i in range(12):
    img = np.random.rand(24, 24)
    data.append([img])
data = np.array(data)
labels = np.random.randint(0, 2, 12)
model = Sequential()
model.add(Conv2D(4, (3, 3), input_shape=(24, 24, 1), activation="relu"))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(data, labels, epochs=1, verbose=0)
