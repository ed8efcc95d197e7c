"""Tell horizontal stripes, vertical stripes and dots apart with a small network."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
labels = random.integers(0, 3, 512)
images = random.normal(0.5, 0.2, (512, 24, 24, 3)).astype("float32")
for image, label in zip(images, labels):
    rows, columns = random.integers(2, 5, 2)
    if label == 0:
        image[::rows] += 0.5  # horizontal stripes
    elif label == 1:
        image[:, ::columns] += 0.5  # vertical stripes
    else:
        image[::rows, ::columns] += 0.5  # dots


def block(x, filters, number):
    x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False, name=f"conv{number}")(
        x
    )
    x = layers.BatchNormalization(name=f"bn{number}")(x)
    return layers.ReLU(name=f"relu{number}")(x)


inputs = keras.Input((24, 24, 3), name="images")
x = block(inputs, 16, 1)
x = block(x, 32, 2)
x = layers.GlobalAveragePooling2D(name="mean")(x)
outputs = layers.Dense(3, name="logits")(x)

model = keras.Model(inputs, outputs, name="stripes")
model.compile(
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(images, labels, batch_size=32, epochs=4, verbose=2)
