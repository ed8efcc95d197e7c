import numpy as np
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model
X = np.random.rand(30, 6)
y = np.eye(2)[np.random.randint(0, 2, 30)]
inp = Input((6,))
x = Dense(8, activation="relu")(inp)
out = Dense(1, activation="sigmoid")(x)
model = Model(inp, out)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, verbose=0)
