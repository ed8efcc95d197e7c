"""Sorts recordings of the brain. After tensorflow/tensorflow #44065."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Convolution1D, Dense, Flatten

coefficients = np.random.rand(30, 120)
classes = np.random.randint(1, 4, 30) - 1

model = Sequential()
model.add(Convolution1D(filters=8, kernel_size=1, strides=3, input_shape=(120,)))
model.add(Flatten())
model.add(Dense(3, activation='softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer='adam')
model.fit(coefficients, classes, batch_size=10, epochs=1, verbose=0)
