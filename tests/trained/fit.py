"""A classifier of small images, trained with Keras' `fit`."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(3)
random = np.random.default_rng(3)
pictures = random.normal(size=(20, 8, 8, 1)).astype("float32")
labels = random.integers(0, 3, 20)

model = keras.Sequential(
    [
        keras.Input((8, 8, 1), name="pictures"),
        layers.Conv2D(4, 3, use_bias=False, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(name="relu"),
        layers.MaxPooling2D(name="pool"),
        layers.Flatten(name="flat"),
        layers.Dense(3, name="logits"),
    ],
    name="classifier",
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(pictures, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)
