import numpy as np
from tensorflow.keras import layers, Model, Input
def block(x, filters, stride):
    shortcut = x
    y = layers.Conv2D(filters, 3, strides=stride, padding="same")(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(y)
    y = layers.Conv2D(filters, 3, padding="same")(y)
    return layers.ReLU()(layers.Add()([y, shortcut]))
inp = Input((16, 16, 8))
h = block(inp, 8, 1)
h = block(h, 16, 2)
model = Model(inp, layers.GlobalAveragePooling2D()(h))
