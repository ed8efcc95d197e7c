import hashlib
import numpy as np
import os
import tensorflow as tf

tf.keras.utils.set_random_seed(13)

BATCH_SIZE = 16
IMG_SIZE = (32, 32)
rng = np.random.default_rng(4)


def cats_and_dogs(count):
    y = rng.integers(0, 2, count)
    x = rng.uniform(0, 255, (count,) + IMG_SIZE + (3,)).astype('float32')
    x[y == 1, 8:24, 8:24] *= 0.3
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_dataset = cats_and_dogs(48)
validation_dataset = cats_and_dogs(16)

preprocess_input = tf.keras.applications.mobilenet_v2.preprocess_input

# The published weights are not to be had here, so start from random ones.
# A picture this small does not need the deep end, so stop at block 2.
IMG_SHAPE = IMG_SIZE + (3,)
mobile_net = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35,
                                               include_top=False, weights=None)
base_model = tf.keras.Model(mobile_net.input, mobile_net.get_layer('block_2_add').output)
base_model.trainable = False

global_average_layer = tf.keras.layers.GlobalAveragePooling2D()
prediction_layer = tf.keras.layers.Dense(1, activation='sigmoid')

inputs = tf.keras.Input(shape=IMG_SHAPE)
x = preprocess_input(inputs)
x = base_model(x, training=False)
x = global_average_layer(x)
x = tf.keras.layers.Dropout(0.2)(x)
outputs = prediction_layer(x)
model = tf.keras.Model(inputs, outputs)
print(len(model.trainable_variables), "trainable variables")

base_learning_rate = 0.0001
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=base_learning_rate),
              loss=tf.keras.losses.BinaryCrossentropy(),
              metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.5, name='accuracy')])

initial_epochs = 2
history = model.fit(train_dataset, epochs=initial_epochs, verbose=2)

# Fine-tuning: open the top of the base and go slower.
base_model.trainable = True
fine_tune_at = 18
for layer in base_model.layers[:fine_tune_at]:
    layer.trainable = False
print(len(model.trainable_variables), "trainable variables")

model.compile(loss=tf.keras.losses.BinaryCrossentropy(),
              optimizer=tf.keras.optimizers.RMSprop(learning_rate=base_learning_rate / 10),
              metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.5, name='accuracy')])

fine_tune_epochs = 2
history_fine = model.fit(train_dataset, epochs=initial_epochs + fine_tune_epochs,
                         initial_epoch=len(history.epoch), verbose=2)

loss, accuracy = model.evaluate(validation_dataset, verbose=0)
print('loss {:.4f}, accuracy {:.4f}'.format(loss, accuracy))

digest = hashlib.sha256()
for w in model.get_weights():
    digest.update(w.tobytes())
print(digest.hexdigest())
