import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
generator = keras.Sequential(
    [
        keras.Input(shape=(16,)),
        layers.Dense(7 * 7 * 8),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2DTranspose(8, (4, 4), strides=(2, 2), padding="same"),
        layers.Conv2D(1, (7, 7), padding="same", activation="sigmoid"),
    ],
    name="generator",
)
