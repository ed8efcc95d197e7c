import numpy as np
from keras import Sequential, layers
sequences = [[1, 2, 3], [4, 5], [6]]
x = np.array(sequences, dtype=object)
y = np.array([0, 1, 0])
m = Sequential([layers.Embedding(10, 4), layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(x, y, verbose=0)
