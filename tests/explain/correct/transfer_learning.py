"""Puts a head on a network without its weights."""
import keras
import numpy as np

base = keras.applications.MobileNetV2(
    input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None
)
base.trainable = False
pictures = keras.Input(shape=(32, 32, 3))
features = keras.layers.GlobalAveragePooling2D()(base(pictures, training=False))
model = keras.Model(pictures, keras.layers.Dense(3, activation="softmax")(features))
model.compile("sgd", "categorical_crossentropy")
labels = keras.utils.to_categorical(np.arange(12) % 3, 3)
model.fit(np.random.rand(12, 32, 32, 3), labels, batch_size=4, verbose=0)
