"""Marks tongues in photographs. After keras-team/keras #16711."""
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models

size = 32


def create_model(channels=1):
    model = models.Sequential()
    model.add(layers.Input(shape=(size, size, channels)))
    model.add(layers.Conv2D(4, (3, 3), padding='same', activation='relu'))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(8, (3, 3), padding='same', activation='relu'))
    model.add(layers.UpSampling2D((2, 2)))
    model.add(layers.Conv2D(1, (1, 1), activation='sigmoid'))
    return model


X_1 = np.random.rand(12, size, size, 3)
y_1 = np.random.randint(0, 2, (12, size, size, 1))

model = create_model()
model.compile(optimizer='adam', loss='binary_crossentropy')
model.fit(X_1, y_1, batch_size=4, epochs=1, verbose=0)
