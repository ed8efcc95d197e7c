"""Compares photographs with drawings of the same thing. After keras-team/keras #16016."""
import tensorflow as tf
import numpy as np
from tensorflow import keras

BATCH_SIZE = 8
IMG_SHAPE = (12, 12, 3)

photos = np.random.rand(32, *IMG_SHAPE).astype("float32")
drawings = np.random.rand(32, *IMG_SHAPE).astype("float32")
labels = keras.utils.to_categorical(np.random.randint(0, 2, 32), 2)

photo_dataset = tf.data.Dataset.from_tensor_slices((photos, labels))
drawing_dataset = tf.data.Dataset.from_tensor_slices((drawings, labels))
train_dataset = tf.data.Dataset.zip((photo_dataset, drawing_dataset)).batch(BATCH_SIZE)


def branch(inputs):
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    return keras.layers.GlobalAveragePooling2D()(x)


photo = keras.Input(shape=IMG_SHAPE)
drawing = keras.Input(shape=IMG_SHAPE)
merged = keras.layers.concatenate([branch(photo), branch(drawing)])
outputs = keras.layers.Dense(2, activation="softmax")(merged)
model = keras.Model([photo, drawing], outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(train_dataset, epochs=1, verbose=0)
