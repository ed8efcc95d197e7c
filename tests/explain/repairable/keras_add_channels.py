import tensorflow as tf
from tensorflow.keras import layers
inp = layers.Input((16, 16, 3))
a = layers.Conv2D(8, 3, padding="same")(inp)
b = layers.Conv2D(16, 1, padding="same")(inp)
c = layers.Add()([a, b])
model = tf.keras.Model(inp, c)
