"""Marks cells in microscope pictures with a small U-Net. After keras-team/keras #19964."""
import keras
import numpy as np
from keras import layers

SIZE = 54


def down(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(2)(x), x


def up(x, skip, filters):
    x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
    x = layers.Concatenate()([x, skip])
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)


def segmenter(size, widths=(4, 8), bottom=16):
    slide = keras.Input((size, size, 1))
    x, skips = slide, []
    for width in widths:
        x, skip = down(x, width)
        skips.append(skip)
    x = layers.Conv2D(bottom, 3, padding="same", activation="relu")(x)
    for width, skip in zip(reversed(widths), reversed(skips)):
        x = up(x, skip, width)
    return keras.Model(slide, layers.Conv2D(1, 1, activation="sigmoid")(x))


network = segmenter(SIZE)
network.compile(optimizer="adam", loss="binary_crossentropy")
slides = np.random.rand(8, SIZE, SIZE, 1).astype("float32")
network.fit(slides, (slides > 0.7).astype("float32"), batch_size=4, verbose=0)
