"""Predicts which loans are paid back."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

loans = np.random.rand(80, 23)
paid = np.random.randint(0, 2, 80)

model = Sequential()
model.add(Dense(16, input_dim=8, activation='relu'))
model.add(Dense(8, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(loans, paid, epochs=2, batch_size=20, verbose=0)
