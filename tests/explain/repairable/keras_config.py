import numpy as np
import tensorflow as tf
cfg = {"units": 32, "classes": 3, "features": 10}
class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.model = self.build()
    def build(self):
        inp = tf.keras.layers.Input(shape=(self.cfg["features"],))
        h = tf.keras.layers.Dense(self.cfg["units"], activation="relu")(inp)
        out = tf.keras.layers.Dense(self.cfg["classes"], activation="softmax")(h)
        model = tf.keras.Model(inp, out)
        model.compile("adam", "sparse_categorical_crossentropy")
        return model
    def train(self, x, y):
        return self.model.fit(x, y, batch_size=4, verbose=0)
x = np.random.rand(24, 12)
y = np.random.randint(0, 3, 24)
Trainer(cfg).train(x, y)
