"""Recognizes what people do in short clips. After keras-team/keras #14836."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import TimeDistributed, Conv2D, MaxPooling2D, Flatten, LSTM, Dense

FRAMES, SIZE, ACTIONS = 5, 16, 3


def read_clips(count):
    clips = np.random.rand(count, FRAMES, SIZE, SIZE, 3).astype('float32')
    labels = np.eye(ACTIONS, dtype='float32')[np.random.randint(0, ACTIONS, count)]
    for clip, label in zip(clips, labels):
        yield clip, label


model = Sequential()
model.add(TimeDistributed(Conv2D(4, (3, 3), activation='relu'), input_shape=(FRAMES, SIZE, SIZE, 3)))
model.add(TimeDistributed(MaxPooling2D(2)))
model.add(TimeDistributed(Flatten()))
model.add(LSTM(8))
model.add(Dense(ACTIONS, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam')
model.fit(read_clips(6), steps_per_epoch=3, epochs=1, verbose=0)
