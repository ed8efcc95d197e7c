import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
x_train = np.random.rand(32, 28, 28)
y_train = np.random.randint(0, 10, 32)
inputs = keras.Input(shape=(784,))
x = layers.Dense(16, activation="relu")(inputs)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs)
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer="sgd")
model.fit(x_train, y_train, epochs=1, verbose=0)
