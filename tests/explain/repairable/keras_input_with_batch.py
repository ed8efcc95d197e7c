import numpy as np
from tensorflow.keras.layers import Input, Dense
from tensorflow.keras.models import Model
x_train = np.random.rand(64, 20)
y_train = np.random.rand(64, 1)
inp = Input(shape=x_train.shape)
h = Dense(8, activation="relu")(inp)
out = Dense(1)(h)
model = Model(inp, out)
model.compile("adam", "mse")
model.fit(x_train, y_train, verbose=0)
