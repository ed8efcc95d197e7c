"""Reads pictures from a dataset with one-hot labels."""
import tensorflow as tf


def prepared(number):
    picture = tf.cast(tf.reshape(tf.range(64) + number, [8, 8, 1]), tf.float32) / 128.0
    return picture, tf.one_hot(number % 4, 4)


numbers = tf.data.Dataset.range(45).map(lambda number: prepared(tf.cast(number, tf.int32)))
pictures = numbers.shuffle(45).batch(10).prefetch(2)
model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(4),
])
model.compile("sgd", tf.keras.losses.CategoricalCrossentropy(from_logits=True))
model.fit(pictures, epochs=1, validation_data=pictures, verbose=0)
