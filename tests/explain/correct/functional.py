"""Joins a picture of a room and its area, and cleans the picture."""
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

picture = keras.Input((16, 16, 1), name="picture")
area = keras.Input((1,), name="area")
small = layers.MaxPooling2D(2)(layers.Conv2D(4, 3, padding="same", activation="relu")(picture))
wide = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(small)
clean = layers.Conv2D(1, 1, name="clean")(layers.Concatenate()([picture, wide]))
price = layers.Dense(1, name="price")(layers.Concatenate()([layers.Flatten()(small), area]))
model = keras.Model([picture, area], {"clean": clean, "price": price})
model.compile(optimizer="sgd", loss={"clean": "mse", "price": "mae"})
rooms = {"picture": np.random.rand(20, 16, 16, 1), "area": np.random.rand(20, 1)}
targets = {"clean": np.random.rand(20, 16, 16, 1), "price": np.random.rand(20, 1)}
model.fit(rooms, targets, batch_size=8, verbose=0)
