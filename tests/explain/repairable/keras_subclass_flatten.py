import numpy as np
import tensorflow as tf
class Net(tf.keras.Model):
    def __init__(self):
        super(Net, self).__init__()
        self.conv = tf.keras.layers.Conv2D(4, 3, activation="relu")
        self.d1 = tf.keras.layers.Dense(16, activation="relu")
        self.d2 = tf.keras.layers.Dense(10)
    def call(self, x):
        x = self.conv(x)
        x = self.d1(x)
        return self.d2(x)
model = Net()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam()
images = tf.random.normal((8, 12, 12, 1))
labels = tf.random.uniform((8,), 0, 10, dtype=tf.int32)
with tf.GradientTape() as tape:
    predictions = model(images)
    loss = loss_object(labels, predictions)
