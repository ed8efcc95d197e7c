import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Embedding, LSTM, Dense
x = np.random.randint(0, 20, (16, 6))
y = np.random.randint(0, 2, (16, 1)).astype("float32")
model = Sequential()
model.add(Embedding(20, 8))
model.add(LSTM(8, return_sequences=True))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x, y, verbose=0)
