import numpy as np
from keras import Sequential, layers
X = np.random.rand(60, 3)
Y = np.random.rand(1, 60)
m = Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
m.compile("adam", "mse")
m.fit(X, Y, epochs=1, verbose=0)
