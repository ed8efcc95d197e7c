import numpy as np
from keras.models import Model
from keras.layers import Input, LSTM, Dense, TimeDistributed
x = np.random.rand(20, 8, 3)
inp = Input(shape=(8, 3))
enc = LSTM(16)(inp)
dec = LSTM(16, return_sequences=True)(enc)
out = TimeDistributed(Dense(3))(dec)
model = Model(inp, out)
model.compile("adam", "mse")
model.fit(x, x, verbose=0)
