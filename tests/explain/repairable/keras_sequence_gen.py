import numpy as np
import tensorflow as tf
class Gen(tf.keras.utils.Sequence):
    def __init__(self, n, batch_size):
        super().__init__()
        self.n, self.batch_size = n, batch_size
    def __len__(self):
        return self.n // self.batch_size
    def __getitem__(self, i):
        x = np.random.rand(self.batch_size, 10)
        y = np.random.randint(0, 4, self.batch_size)
        return x, y
model = tf.keras.Sequential([tf.keras.layers.Dense(8), tf.keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "categorical_crossentropy")
model.fit(Gen(32, 8), verbose=0)
