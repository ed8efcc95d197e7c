"""A convolutional image classifier: functional, tf.data, augmentation, schedule, checkpoints."""

import hashlib
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(2)
random = np.random.default_rng(2)
pictures = random.integers(0, 255, (40, 16, 16, 3)).astype("uint8")
classes = random.integers(0, 4, 40)
pairs = tf.data.Dataset.from_tensor_slices((pictures, keras.utils.to_categorical(classes, 4)))
training = pairs.take(28).batch(8).map(lambda x, y: (tf.cast(x, tf.float32), y)).cache().prefetch(2)
validation = pairs.skip(28).batch(6)

images = keras.Input((16, 16, 3))
x = layers.RandomFlip("horizontal")(images)
x = layers.Rescaling(1 / 255)(x)
for filters in (8, 16):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.MaxPooling2D()(x)
x = layers.SeparableConv2D(16, 3, activation="relu", depthwise_regularizer="l2")(x)
x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
model = keras.Model(images, layers.Dense(4, activation="softmax")(x), name="pictures")
model.summary()
model.compile(
    keras.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"]
)
with tempfile.TemporaryDirectory() as folder:
    best = Path(folder) / "best.keras"
    history = model.fit(
        training,
        validation_data=validation,
        epochs=3,
        verbose=2,
        callbacks=[
            keras.callbacks.ModelCheckpoint(best, save_best_only=True),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5**epoch),
        ],
    )
    again = keras.models.load_model(best)
print(history.history["learning_rate"], again.count_params())
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
