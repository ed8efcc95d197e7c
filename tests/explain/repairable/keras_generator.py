import numpy as np
from keras.models import Sequential
from keras.layers import Dense
def gen():
    while True:
        x = np.random.rand(7, 6)
        y = np.random.rand(7, 2)
        yield x, y
model = Sequential()
model.add(Dense(4, input_shape=(5,)))
model.add(Dense(2))
model.compile("sgd", "mse")
model.fit(gen(), steps_per_epoch=2, verbose=0)
