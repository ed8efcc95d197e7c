import numpy as np
from keras.models import Sequential
from keras.layers import Embedding, Flatten, Dense
docs = np.random.randint(0, 120, (20, 5))
docs[0, 0] = 119
labels = np.random.randint(0, 2, 20)
model = Sequential()
model.add(Embedding(input_dim=100, output_dim=8))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy")
model.fit(docs, labels, verbose=0)
