import numpy as np
from keras import Input, Model, layers
def base():
    i = Input((20,))
    h = layers.Dense(16, activation="relu")(i)
    return Model(i, layers.Dense(8)(h))
net = base()
left, right = Input((20,)), Input((24,))
merged = layers.Subtract()([net(left), net(right)])
out = layers.Dense(1, activation="sigmoid")(merged)
siamese = Model([left, right], out)
