import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import *
from tensorflow.keras.models import Model
def conv_block(x, n):
    x = Conv2D(n, 3, padding="same", activation="relu")(x)
    return Conv2D(n, 3, padding="same", activation="relu")(x)
def unet(input_size=(50, 50, 1)):
    inputs = Input(input_size)
    c1 = conv_block(inputs, 4)
    p1 = MaxPooling2D((2, 2))(c1)
    c2 = conv_block(p1, 8)
    p2 = MaxPooling2D((2, 2))(c2)
    c3 = conv_block(p2, 16)
    u2 = UpSampling2D((2, 2))(c3)
    m2 = concatenate([u2, c2], axis=3)
    c4 = conv_block(m2, 8)
    u1 = UpSampling2D((2, 2))(c4)
    m1 = concatenate([u1, c1], axis=3)
    c5 = conv_block(m1, 4)
    return Model(inputs, Conv2D(1, 1, activation="sigmoid")(c5))
model = unet()
model.compile("adam", "binary_crossentropy")
X = np.random.rand(4, 50, 50, 1)
model.fit(X, (X > 0.5).astype("float32"), verbose=0)
