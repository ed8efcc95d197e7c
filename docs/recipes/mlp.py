"""A multilayer perceptron for tabular data: Sequential, early stopping, two calls of fit."""

import hashlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
random = np.random.default_rng(1)
features = random.normal(size=(96, 5)).astype("float32")
labels = (features[:, 0] * features[:, 1] > 0).astype("int32")


def main() -> None:
    """Fit with early stopping, then continue the training."""
    model = keras.Sequential(
        [
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(8),
            layers.LeakyReLU(0.1),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    first = model.fit(
        features,
        labels,
        batch_size=16,
        epochs=4,
        validation_split=0.25,
        class_weight={0: 1.0, 1: 2.0},
        callbacks=[stop],
        verbose=2,
        shuffle=False,
    )
    second = model.fit(features, labels, batch_size=40, initial_epoch=4, epochs=5, verbose=0)
    print(sorted(first.history), second.epoch, model.evaluate(features, labels, verbose=0))
    print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())


if __name__ == "__main__":
    main()
