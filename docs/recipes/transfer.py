"""Transfer learning: a frozen base with a new head, then fine-tuning at a low learning rate."""

import hashlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(10)
random = np.random.default_rng(10)
pictures = random.uniform(0, 255, (6, 32, 32, 3)).astype("float32")
labels = random.integers(0, 2, (6, 1))

known = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
base = keras.Model(known.input, known.get_layer("block_3_expand_relu").output, name="base")
base.trainable = False
images = keras.Input((32, 32, 3))
x = keras.applications.mobilenet_v2.preprocess_input(images)
x = layers.GlobalAveragePooling2D()(base(x, training=False))
model = keras.Model(images, layers.Dense(1)(x))
loss = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
model.fit(pictures, labels, batch_size=2, verbose=2, shuffle=False)
base.trainable = True
for layer in base.layers[:20]:
    layer.trainable = False
model.compile(keras.optimizers.Adam(1e-5), loss, metrics=["accuracy"])
model.fit(pictures, labels, batch_size=2, epochs=2, initial_epoch=1, verbose=2, shuffle=False)
print(model.count_params(), len(model.trainable_weights))
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
