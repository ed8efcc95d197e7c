import numpy as np
from tensorflow.keras import layers, Model
inp = layers.Input((32, 32, 3))
c1 = layers.Conv2D(8, 3, activation="relu")(inp)
p1 = layers.MaxPooling2D()(c1)
c2 = layers.Conv2D(16, 3, activation="relu")(p1)
u1 = layers.UpSampling2D()(c2)
m = layers.concatenate([c1, u1])
out = layers.Conv2D(1, 1)(m)
model = Model(inp, out)
