"""Several inputs and outputs, given as dictionaries, with an adapted normalization."""

import hashlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(9)
random = np.random.default_rng(9)
inputs = {
    "table": random.normal(3.0, 2.0, size=(32, 6)).astype("float32"),
    "shop": random.integers(0, 5, (32, 1)),
    "picture": random.random((32, 8, 8, 3), dtype="float32"),
}
targets = {"price": random.random((32, 1)), "kind": random.integers(0, 3, 32)}
dataset = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(8, drop_remainder=True)

normal = layers.Normalization(name="normal")
normal.adapt(inputs["table"])
table = keras.Input((6,), name="table")
shop = keras.Input((1,), name="shop", dtype="int64")
picture = keras.Input((8, 8, 3), name="picture")
parts = [
    layers.Dense(8, activation="selu")(normal(table)),
    layers.Flatten()(layers.Embedding(5, 3)(shop)),
    layers.GlobalMaxPooling2D()(layers.DepthwiseConv2D(3, activation="swish")(picture)),
]
x = layers.concatenate(parts)
x = layers.GroupNormalization(groups=2)(layers.Dense(8, use_bias=False)(x))
outputs = {
    "price": layers.Dense(1, name="price")(x),
    "kind": layers.Dense(3, activation="softmax", name="kind")(x),
}
model = keras.Model({"table": table, "shop": shop, "picture": picture}, outputs)
model.compile(
    keras.optimizers.Nadam(0.01, use_ema=True),
    {"price": "huber", "kind": "sparse_categorical_crossentropy"},
    metrics={"price": ["mae"], "kind": ["accuracy"]},
    loss_weights={"price": 0.3, "kind": 1.0},
)
model.fit(dataset, epochs=2, validation_data=dataset.take(1), verbose=2)
print(sorted(model.evaluate(dataset, verbose=0, return_dict=True)))
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
