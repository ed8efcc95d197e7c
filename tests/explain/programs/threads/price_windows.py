"""Learns the next price of a share from the twenty before. After tensorflow/tensorflow #48138."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Dropout, LSTM

prices = np.cumsum(np.random.randn(150)).astype('float32')
prediction_days = 20

x_train = []
y_train = []
for day in range(prediction_days, len(prices)):
    x_train.append(prices[day - prediction_days:day])
    y_train.append(prices[day])
x_train, y_train = np.array(x_train), np.array(y_train)

model = Sequential()
model.add(LSTM(units=16, return_sequences=True))
model.add(Dropout(0.2))
model.add(LSTM(units=16))
model.add(Dense(units=1))

model.compile(optimizer='adam', loss='mean_squared_error')
model.fit(x_train, y_train, epochs=1, batch_size=32, verbose=0)
