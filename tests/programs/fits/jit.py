import hashlib

import tensorflow as tf
import numpy as np

tf.keras.utils.set_random_seed(64)

# Size of each input image, number of categories
IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10

TRAIN_SIZE = 192
rng = np.random.RandomState(64)
x_train = rng.rand(TRAIN_SIZE, *IMAGE_SHAPE).astype('float32')
y_train = tf.one_hot(x_train[:, :10, 0, 0].argmax(axis=1), NUM_CLASSES)
x_test = rng.rand(64, *IMAGE_SHAPE).astype('float32')
y_test = tf.one_hot(x_test[:, :10, 0, 0].argmax(axis=1), NUM_CLASSES)


def generate_model():
    return tf.keras.models.Sequential([
        tf.keras.layers.Input(shape=IMAGE_SHAPE),
        tf.keras.layers.Conv2D(4, (3, 3), padding='same'),
        tf.keras.layers.Activation('relu'),
        tf.keras.layers.MaxPooling2D(pool_size=(4, 4)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(16),
        tf.keras.layers.Activation('relu'),
        tf.keras.layers.Dense(NUM_CLASSES),
        tf.keras.layers.Activation('softmax')
    ])


def compile_model(model):
    opt = tf.keras.optimizers.RMSprop(learning_rate=0.0001)
    # XLA for the whole training step
    model.compile(loss='categorical_crossentropy',
                  optimizer=opt,
                  metrics=['accuracy'],
                  jit_compile=True)
    return model


def train_model(model, x_train, y_train, x_test, y_test, epochs=3):
    model.fit(x_train, y_train, batch_size=32, epochs=epochs,
              validation_data=(x_test, y_test), shuffle=True, verbose=2)


model = generate_model()
model = compile_model(model)
train_model(model, x_train, y_train, x_test, y_test)

scores = model.evaluate(x_test, y_test, verbose=0)
print('Test loss: %.4f' % scores[0])

print(hashlib.sha256(b''.join(w.tobytes() for w in model.get_weights())).hexdigest())
