"""A first neural network for digits, start to finish."""
import hashlib

import numpy as np
import tensorflow as tf

print("TensorFlow version:", tf.__version__)

tf.keras.utils.set_random_seed(1)


def load_digits(n_train=256, n_test=64):
    # Stand-in for the handwritten digits: a bright bar whose row is the label.
    rng = np.random.default_rng(0)
    n = n_train + n_test
    labels = rng.integers(0, 10, size=n).astype("uint8")
    images = rng.integers(0, 60, size=(n, 28, 28)).astype("uint8")
    for image, label in zip(images, labels):
        image[2 * label + 4, 4:24] = 250
    return (images[:n_train], labels[:n_train]), (images[n_train:], labels[n_train:])


(x_train, y_train), (x_test, y_test) = load_digits()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(28, 28)),
    tf.keras.layers.Dense(32, activation='relu'),
    tf.keras.layers.Dropout(0.2),
    tf.keras.layers.Dense(10)
])

# Untrained scores for one picture, as raw logits and then as probabilities.
predictions = model(x_train[:1]).numpy()
print(predictions.shape, tf.nn.softmax(predictions).numpy().sum().round(3))

loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print("loss before training: %.3f" % loss_fn(y_train[:1], predictions).numpy())

model.compile(optimizer='adam',
              loss=loss_fn,
              metrics=['accuracy'])

model.fit(x_train, y_train, epochs=2, verbose=2)

model.evaluate(x_test, y_test, verbose=2)

probability_model = tf.keras.Sequential([
    model,
    tf.keras.layers.Softmax()
])
print(np.round(probability_model(x_test[:2]).numpy(), 3))

digest = hashlib.sha256()
for w in model.get_weights():
    digest.update(w.tobytes())
print(digest.hexdigest())
