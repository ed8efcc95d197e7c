"""Prices flats from a plan and a few facts. After keras-team/keras #23258."""
import keras
import numpy as np
from keras import layers

plan = keras.Input((6, 6, 1), name="plan")
facts = keras.Input((4,), name="facts")
joined = layers.Concatenate()([layers.Flatten()(plan), facts])
price = layers.Dense(1)(layers.Dense(8, activation="relu")(joined))
model = keras.Model({"plan": plan, "facts": facts}, price)
model.compile("adam", "mse")
flats = {
    "plan": np.random.rand(20, 6, 6, 1),
    "fact": np.random.rand(20, 4),
}
model.fit(flats, np.random.rand(20, 1), batch_size=5, verbose=0)
