import numpy as np
import tensorflow as tf
class Encoder(tf.keras.layers.Layer):
    def __init__(self, units, latent):
        super().__init__()
        self.hidden = [tf.keras.layers.Dense(u, activation="relu") for u in units]
        self.out = tf.keras.layers.Dense(latent)
    def call(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)
class AE(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder([32, 16], 4)
        self.decoder = tf.keras.layers.Dense(24)
    def call(self, x):
        return self.decoder(self.encoder(x))
ae = AE()
ae.compile("adam", "mse")
x = np.random.rand(32, 30).astype("float32")
ae.fit(x, x, epochs=1, batch_size=8, verbose=0)
