from tensorflow.keras.layers import Input, Dense, concatenate, Conv2D, Flatten
from tensorflow.keras.models import Model
a = Input(shape=(8, 8, 3))
b = Input(shape=(5,))
h = Conv2D(4, 3)(a)
h = concatenate([h, b])
out = Dense(1)(h)
model = Model([a, b], out)
