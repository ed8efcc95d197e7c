import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Flatten, Input
model = Sequential([Input((8, 8)), Flatten(), Dense(16, activation="relu"), Dense(4)])
model.compile("sgd", "mse")
X = np.random.rand(40, 64)
Y = np.random.rand(40, 4)
for epoch in range(2):
    for i in range(0, 40, 10):
        xb = X[i:i + 10]
        yb = Y[i:i + 10]
        model.train_on_batch(xb, yb)
