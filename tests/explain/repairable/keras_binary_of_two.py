import numpy as np
from keras import Sequential, layers

x = np.random.rand(20, 5)
y = np.random.randint(0, 2, 20)
model = Sequential([layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax")])
model.compile("adam", "binary_crossentropy")
model.fit(x, y, verbose=0)
