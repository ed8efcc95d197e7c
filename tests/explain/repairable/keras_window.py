import numpy as np
from tensorflow.keras import layers, models
model = models.Sequential()
model.add(layers.Conv2D(8, (5, 5), activation="relu", input_shape=(12, 12, 1)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(8, (5, 5), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(3))
model.compile("adam", "mse")
model.fit(np.random.rand(8, 12, 12, 1), np.random.rand(8, 3), verbose=0)
