# Guessing fuel economy from a few facts about a car.
import hashlib
import numpy as np

np.set_printoptions(precision=3, suppress=True)

import tensorflow as tf

from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(0)

rng = np.random.default_rng(11)
N = 200
horsepower = rng.uniform(50, 220, N)
weight = 1500 + 12 * horsepower + rng.normal(0, 200, N)
cylinders = rng.choice([4, 6, 8], N)
year = rng.integers(70, 83, N)
mpg = 45 - 0.09 * horsepower - 0.003 * weight + 0.2 * (year - 70) + rng.normal(0, 1, N)

features = np.stack([cylinders, horsepower, weight, year], axis=1).astype('float32')
labels = mpg.astype('float32')

train_features, test_features = features[:160], features[160:]
train_labels, test_labels = labels[:160], labels[160:]

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(np.array(train_features))
print(normalizer.mean.numpy())

linear_model = tf.keras.Sequential([
    normalizer,
    layers.Dense(units=1)
])

linear_model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=0.1),
    loss='mean_absolute_error')

history = linear_model.fit(
    train_features,
    train_labels,
    epochs=3,
    # Suppress logging.
    verbose=0,
    # Calculate validation results on 20% of the training data.
    validation_split=0.2)
for key, values in history.history.items():
    print(key, ['%.4f' % v for v in values])

test_results = {}
test_results['linear_model'] = linear_model.evaluate(test_features, test_labels, verbose=0)


def build_and_compile_model(norm):
    model = keras.Sequential([
        norm,
        layers.Dense(16, activation='relu'),
        layers.Dense(16, activation='relu'),
        layers.Dense(1)
    ])

    model.compile(loss='mean_absolute_error',
                  optimizer=tf.keras.optimizers.Adam(0.001))
    return model


dnn_model = build_and_compile_model(normalizer)
history = dnn_model.fit(train_features, train_labels,
                        validation_split=0.2, verbose=0, epochs=3)
print(['%.4f' % v for v in history.history['val_loss']])
test_results['dnn_model'] = dnn_model.evaluate(test_features, test_labels, verbose=0)
print({k: round(v, 4) for k, v in test_results.items()})

h = hashlib.sha256()
for m in (linear_model, dnn_model):
    for w in m.get_weights():
        h.update(np.asarray(w).tobytes())
print(h.hexdigest())
