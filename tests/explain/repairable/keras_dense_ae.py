import numpy as np
from keras.layers import Input, Dense
from keras.models import Model
encoding_dim = 8
x_train = np.random.rand(40, 64).astype("float32")
x_test = np.random.rand(10, 64).astype("float32")
input_img = Input(shape=(64,))
encoded = Dense(32, activation="relu")(input_img)
encoded = Dense(encoding_dim, activation="relu")(encoded)
decoded = Dense(32, activation="relu")(encoded)
decoded = Dense(48, activation="sigmoid")(decoded)
autoencoder = Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=1, batch_size=16, shuffle=True, validation_data=(x_test, x_test), verbose=0)
