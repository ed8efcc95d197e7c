import numpy as np
from keras import Sequential
from keras.layers import Conv2D, Dense, MaxPooling2D
x = np.random.rand(16, 16, 16, 3)
y = np.random.randint(0, 2, (16, 1))
model = Sequential([
    Conv2D(4, 3, activation="relu", input_shape=(16, 16, 3)),
    MaxPooling2D(),
    Dense(8, activation="relu"),
    Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy")
model.fit(x, y, verbose=0)
