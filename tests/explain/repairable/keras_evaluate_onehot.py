import numpy as np
from keras import Sequential, layers
from keras.utils import to_categorical
x, xt = np.random.rand(20, 4), np.random.rand(8, 4)
y, yt = np.random.randint(0, 3, 20), np.random.randint(0, 3, 8)
y = to_categorical(y, 3)
m = Sequential([layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])
m.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, verbose=0)
m.evaluate(xt, yt, verbose=0)
