"""Separates streets from houses in pictures from above. After keras-team/keras #16826."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Model
from tensorflow.keras.layers import Input, Conv2D, MaxPooling2D, UpSampling2D, concatenate


class UNet:
    def __init__(self, side):
        self.side = side

    def block(self, x, filters):
        x = Conv2D(filters, 3, 3, activation='relu', padding='same')(x)
        return x

    def compile(self):
        inputs = Input(shape=(self.side, self.side, 3))
        conv1 = self.block(inputs, 4)
        pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
        conv2 = self.block(pool1, 8)
        pool2 = MaxPooling2D(pool_size=(2, 2))(conv2)
        conv3 = self.block(pool2, 16)
        up4 = concatenate([UpSampling2D(size=(2, 2))(conv3), conv2])
        conv4 = self.block(up4, 8)
        up5 = concatenate([UpSampling2D(size=(2, 2))(conv4), conv1])
        conv5 = self.block(up5, 4)
        outputs = Conv2D(1, 1, activation='sigmoid')(conv5)
        self.net = Model(inputs, outputs)
        self.net.compile(optimizer='adam', loss='binary_crossentropy')

    def train(self, images, streets):
        self.net.fit(images, streets, batch_size=2, epochs=1, verbose=0)


unet = UNet(72)
unet.compile()
images = np.random.rand(4, 72, 72, 3)
unet.train(images, images[..., :1] > 0.5)
