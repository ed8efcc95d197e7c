import numpy as np
from keras import Input, Sequential, layers


def signals():
    while True:
        signal = np.random.rand(30, 2)
        yield signal, np.array([signal.mean()])


model = Sequential([Input((30, 2)), layers.LSTM(4), layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(signals(), steps_per_epoch=2, verbose=0)
