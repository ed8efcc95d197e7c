"""Says whether a review is good. After tensorflow/tensorflow #37254."""
import keras
import numpy as np
from keras import layers

words = 30
reviews = np.random.randint(1, words + 1, (64, 7))
reviews[0, 3] = words
good = np.random.randint(0, 2, 64)

reader = keras.Sequential()
reader.add(layers.Embedding(words, 8))
reader.add(layers.GlobalAveragePooling1D())
reader.add(layers.Dense(1, activation="sigmoid"))
reader.compile("adam", "binary_crossentropy")
reader.fit(reviews, good, batch_size=16, shuffle=False, verbose=0)
