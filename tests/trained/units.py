"""A regression whose model has one output too many for the targets: `fit` fails."""

import keras
import numpy as np
from keras import layers

TARGETS = 3

keras.utils.set_random_seed(3)
random = np.random.default_rng(3)
features = random.normal(size=(20, 6)).astype("float32")
targets = random.normal(size=(20, TARGETS)).astype("float32")

model = keras.Sequential(
    [
        keras.Input((6,), name="features"),
        layers.Dense(8, activation="relu", name="hidden"),
        layers.Dense(4, name="output"),
    ],
    name="regressor",
)
model.compile("adam", "mse")
model.fit(features, targets, batch_size=5, epochs=2, shuffle=False, verbose=0)
