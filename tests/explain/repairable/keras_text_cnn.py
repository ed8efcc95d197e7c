import numpy as np
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Embedding, Conv1D, Dense, Dropout
vocab_size, maxlen = 200, 12
x = np.random.randint(0, vocab_size, (30, maxlen))
y = np.random.randint(0, 3, 30)
from tensorflow.keras.utils import to_categorical
y = to_categorical(y)
model = Sequential([
    Embedding(vocab_size, 16),
    Conv1D(8, 3, activation="relu"),
    Dropout(0.5),
    Dense(3, activation="softmax"),
])
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, verbose=0)
