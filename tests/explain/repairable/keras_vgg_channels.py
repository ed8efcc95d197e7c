import numpy as np
from tensorflow.keras import layers, models
X = np.random.rand(8, 16, 16, 3)
y = np.random.randint(0, 2, 8)
model = models.Sequential([
    layers.Input(shape=(16, 16, 1)),
    layers.Conv2D(4, 3),
    layers.GlobalAveragePooling2D(),
    layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy")
model.fit(X, y, verbose=0)
