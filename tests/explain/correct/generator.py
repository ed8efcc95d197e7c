"""Trains from a generator with batches of different sizes."""
import keras
import numpy as np


def batches():
    while True:
        size = np.random.randint(3, 9)
        yield np.random.rand(size, 12, 2).astype("float32"), np.random.rand(size, 1)


network = keras.models.Sequential()
network.add(keras.layers.Conv1D(6, 3, activation="relu", input_shape=(12, 2)))
network.add(keras.layers.Flatten())
network.add(keras.layers.Dense(1))
network.compile(loss="mean_squared_error", optimizer=keras.optimizers.RMSprop(0.01))
network.fit(batches(), steps_per_epoch=5, epochs=1, verbose=0)
