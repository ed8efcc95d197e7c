import numpy as np
import tensorflow as tf
imgs = np.random.rand(4, 16, 16, 3).astype("float32")
masks = np.random.randint(0, 3, (4, 16, 16, 1))
inputs = tf.keras.layers.Input((16, 16, 3))
c = tf.keras.layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
outputs = tf.keras.layers.Conv2D(3, 1, activation="softmax")(c)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(imgs, masks, verbose=0)
