import numpy as np
from tensorflow.keras.models import Sequential, Model
from tensorflow.keras.layers import Dense, Reshape, Flatten, LeakyReLU, Input
class GAN:
    def __init__(self):
        self.img_shape = (28, 28, 1)
        self.latent = 10
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss="binary_crossentropy", optimizer="adam")
        self.generator = self.build_generator()
        z = Input(shape=(self.latent,))
        img = self.generator(z)
        self.discriminator.trainable = False
        valid = self.discriminator(img)
        self.combined = Model(z, valid)
        self.combined.compile(loss="binary_crossentropy", optimizer="adam")
    def build_generator(self):
        model = Sequential()
        model.add(Dense(16, input_dim=self.latent))
        model.add(LeakyReLU(0.2))
        model.add(Dense(int(np.prod(self.img_shape)), activation="tanh"))
        return model
    def build_discriminator(self):
        model = Sequential()
        model.add(Input(shape=self.img_shape))
        model.add(Flatten())
        model.add(Dense(16))
        model.add(Dense(1, activation="sigmoid"))
        return model
gan = GAN()
