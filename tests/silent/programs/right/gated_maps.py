"""Maps are scaled by one number for each channel and by one map for all channels."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(2)
pictures = np.random.rand(30, 10, 10, 3).astype("float32")
masks = (np.random.rand(30, 10, 10, 1) > 0.5).astype("float32")

picture = keras.Input((10, 10, 3))
maps = layers.Conv2D(8, 3, padding="same", activation="relu")(picture)
squeezed = layers.GlobalAveragePooling2D(keepdims=True)(maps)
scale = layers.Dense(8, activation="sigmoid")(layers.Dense(2, activation="relu")(squeezed))
maps = layers.Multiply()([maps, scale])
both = layers.Concatenate()(
    [ops.mean(maps, axis=-1, keepdims=True), ops.max(maps, axis=-1, keepdims=True)]
)
place = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(both)
maps = maps * place
model = keras.Model(picture, layers.Conv2D(1, 1, activation="sigmoid")(maps))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(pictures, masks, batch_size=10, epochs=1, verbose=0)
