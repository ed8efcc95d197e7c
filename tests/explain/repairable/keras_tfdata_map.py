import numpy as np
import tensorflow as tf
BATCH = 8
images = np.random.rand(32, 16, 16).astype("float32")
labels = np.random.randint(0, 4, 32)
def prepare(image, label):
    image = tf.cast(image, tf.float32) / 255.0
    label = tf.one_hot(label, 4)
    return image, label
train = tf.data.Dataset.from_tensor_slices((images, labels)).map(prepare).shuffle(32).batch(BATCH)
model = tf.keras.Sequential([
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(32, activation="relu"),
    tf.keras.layers.Dense(4, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=1, verbose=0)
