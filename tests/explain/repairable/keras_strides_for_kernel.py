from tensorflow.keras.layers import Conv2D, Input, UpSampling2D, MaxPooling2D, concatenate
from tensorflow.keras.models import Model

image = Input((48, 48, 3))
outer = Conv2D(4, 3, 3, padding="same")(image)
inner = Conv2D(8, 3, 3, padding="same")(MaxPooling2D()(outer))
joined = concatenate([UpSampling2D()(inner), outer])
model = Model(image, Conv2D(1, 1)(joined))
