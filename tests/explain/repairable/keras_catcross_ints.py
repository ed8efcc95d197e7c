import numpy as np
import tensorflow as tf
X = np.random.rand(50, 8).astype("float32")
y = np.random.randint(0, 5, 50)
model = tf.keras.models.Sequential([
    tf.keras.layers.Dense(10, activation="relu"),
    tf.keras.layers.Dense(5, activation="softmax"),
])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=1, verbose=0)
