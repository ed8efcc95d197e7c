"""Rates the clients of a bank from 0 to 6. After keras-team/keras #12410."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense

X = np.random.rand(100, 14)
y = np.random.randint(0, 7, size=(100, 1))
X_train, X_test = X[:80], X[80:]
Y_train, Y_test = y[:80], y[80:]

model = Sequential()
model.add(Dense(units=20, kernel_initializer='uniform', activation='relu', input_dim=X.shape[1]))
model.add(Dense(units=7, kernel_initializer='uniform', activation='softmax'))
model.compile(loss='categorical_crossentropy', metrics=['accuracy'], optimizer='adam')

one_hot_labels = keras.utils.to_categorical(Y_train, num_classes=7)
model.fit(X_train, one_hot_labels, batch_size=16, epochs=1, validation_split=0.2, verbose=0)
one_hot_y_test = keras.utils.to_categorical(Y_test, num_classes=7)

y_pred = model.predict(X_test, verbose=0) > 0.5
scores = model.evaluate(X_test, Y_test, verbose=0)
print(scores)
