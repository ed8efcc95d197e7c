import numpy as np
import tensorflow as tf
BATCH_SIZE = 8
features = np.random.rand(32, 6).astype("float32")
labels = np.random.randint(0, 3, 32)
ds = tf.data.Dataset.from_tensor_slices((features, labels))
model = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(6,))])
model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(ds, epochs=1, verbose=0)
