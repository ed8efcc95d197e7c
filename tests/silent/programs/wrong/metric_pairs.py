"""A metric compares labels (N,) with predictions (N, 1)."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
cells = np.random.rand(90, 6).astype("float32")
ill = np.random.randint(0, 2, 90).astype("float32")


def agreement(y_true, y_pred):
    return tf.reduce_mean(tf.cast(tf.equal(tf.round(y_pred), y_true), tf.float32))


model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=[agreement])
model.fit(cells, ill, batch_size=15, epochs=1, verbose=0)
