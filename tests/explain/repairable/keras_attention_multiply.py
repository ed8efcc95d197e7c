import tensorflow as tf
from tensorflow.keras import layers
inputs = layers.Input((10, 16))
h = layers.LSTM(32, return_sequences=True)(inputs)
a = layers.Dense(1, activation="tanh")(h)
a = layers.Flatten()(a)
a = layers.Activation("softmax")(a)
a = layers.RepeatVector(24)(a)
a = layers.Permute([2, 1])(a)
m = layers.Multiply()([h, a])
out = layers.Dense(1)(layers.Flatten()(m))
model = tf.keras.Model(inputs, out)
