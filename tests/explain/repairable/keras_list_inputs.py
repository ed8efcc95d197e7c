import numpy as np
from keras import layers, Model, Input
a = Input((4,)); b = Input((3,))
out = layers.Dense(1)(layers.concatenate([a, b]))
model = Model([a, b], out)
model.compile("sgd", "mse")
xa, xb, y = np.random.rand(10, 4), np.random.rand(10, 3), np.random.rand(10, 1)
model.fit([xb, xa], y, verbose=0)
