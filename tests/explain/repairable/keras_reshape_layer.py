import numpy as np
from tensorflow.keras import layers, Sequential
generator = Sequential([
    layers.Dense(7 * 7 * 32, input_shape=(20,)),
    layers.Reshape((7, 7, 64)),
    layers.Conv2DTranspose(8, 3, strides=2, padding="same"),
])
print(generator(np.random.rand(2, 20)).shape)
