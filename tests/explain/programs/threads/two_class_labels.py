"""Finds damaged roofs in gray pictures. After keras-team/keras #13647."""
import tensorflow as tf
import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Conv2D, MaxPooling2D, Flatten, Dense, Activation, Dropout

input_shape = (24, 24, 1)
X_train = np.random.rand(40, 24, 24, 1)
Y_train = np.random.randint(0, 2, size=(40, 1))

model = Sequential()
model.add(Conv2D(4, (5, 5), strides=(1, 1), input_shape=input_shape))
model.add(MaxPooling2D((4, 2), strides=(4, 2)))
model.add(Activation('relu'))
model.add(Flatten())
model.add(Dropout(rate=0.5))
model.add(Dense(12))
model.add(Activation('relu'))
model.add(Dense(2))
model.add(Activation('softmax'))

model.compile(
    optimizer="Adam",
    loss="categorical_crossentropy",
    metrics=['accuracy'])

model.fit(
    x=X_train,
    y=Y_train,
    epochs=1,
    batch_size=10,
    verbose=0)
