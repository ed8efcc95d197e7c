import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.utils import to_categorical
num_classes = 4
x_train = np.random.rand(40, 12)
y_train = to_categorical(np.random.randint(0, 6, 40), 6)
model = Sequential()
model.add(Dense(16, activation="relu", input_shape=(12,)))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=8, epochs=1, verbose=0)
