import numpy as np
from keras import Sequential, layers
X = np.random.rand(3, 60)
Y = np.random.rand(60, 1)
m = Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
m.compile("adam", "mse")
m.fit(X, Y, epochs=1, verbose=0)
