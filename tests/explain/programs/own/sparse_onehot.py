"""Reads handwritten letters. After tensorflow/tensorflow #28441."""
import keras
import numpy as np
from keras import layers

letters = np.random.rand(60, 14, 14).astype("float32")
names = keras.utils.to_categorical(np.random.randint(0, 8, 60), 8)

reader = keras.Sequential([
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
    layers.Dense(8),
])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
reader.compile(optimizer="adam", loss=loss)
reader.fit(letters, names, batch_size=20, verbose=0)
