"""A text classifier: padding and masking, a bidirectional LSTM, batches from a generator."""

import hashlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(3)
random = np.random.default_rng(3)
sentences = [random.integers(1, 50, random.integers(3, 11)) for _ in range(48)]
moods = np.array([float(sentence.mean() > 25) for sentence in sentences])


def batches(size=8):
    """Yield batches without end, each padded to its longest sentence."""
    while True:
        for start in range(0, len(sentences), size):
            words = keras.utils.pad_sequences(sentences[start : start + size], padding="post")
            yield words, moods[start : start + size, None]


model = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        layers.Embedding(50, 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
        layers.GRU(5),
        layers.Dense(1, activation="sigmoid"),
    ]
)
rmsprop = keras.optimizers.RMSprop(0.01, clipnorm=1.0)
model.compile(rmsprop, "binary_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=6, epochs=2, verbose=2)
print(model.predict(keras.utils.pad_sequences(sentences[:3], padding="post"), verbose=0).ravel())
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
