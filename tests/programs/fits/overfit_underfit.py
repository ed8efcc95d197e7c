import tensorflow as tf

from tensorflow.keras import layers
from tensorflow.keras import regularizers

import hashlib
import pathlib
import shutil
import tempfile

import numpy as np

tf.random.set_seed(3)
tf.keras.utils.set_random_seed(3)

logdir = pathlib.Path(tempfile.mkdtemp()) / "logs"
shutil.rmtree(logdir, ignore_errors=True)

FEATURES = 28
N_VALIDATION = 64
N_TRAIN = 128
BUFFER_SIZE = 128
BATCH_SIZE = 32
STEPS_PER_EPOCH = N_TRAIN // BATCH_SIZE

rng = np.random.default_rng(0)
x = rng.normal(size=(N_VALIDATION + N_TRAIN, FEATURES)).astype("float32")
y = (x[:, :1] * x[:, 1:2] + x[:, 2:3] > 0).astype("float32")
packed_ds = tf.data.Dataset.from_tensor_slices((x, y))

validate_ds = packed_ds.take(N_VALIDATION).cache().batch(BATCH_SIZE)
train_ds = packed_ds.skip(N_VALIDATION).take(N_TRAIN).cache()
train_ds = train_ds.shuffle(BUFFER_SIZE, seed=0).repeat().batch(BATCH_SIZE)

lr_schedule = tf.keras.optimizers.schedules.InverseTimeDecay(
    0.001,
    decay_steps=STEPS_PER_EPOCH * 1000,
    decay_rate=1,
    staircase=False)


def get_optimizer():
    return tf.keras.optimizers.Adam(lr_schedule)


def get_callbacks(name):
    return [tf.keras.callbacks.EarlyStopping(monitor='val_binary_crossentropy', patience=2)]


def compile_and_fit(model, name, optimizer=None, max_epochs=2):
    if optimizer is None:
        optimizer = get_optimizer()
    model.compile(optimizer=optimizer,
                  loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
                  metrics=[
                      tf.keras.metrics.BinaryCrossentropy(from_logits=True, name='binary_crossentropy'),
                      'accuracy'])
    return model.fit(train_ds, steps_per_epoch=STEPS_PER_EPOCH, epochs=max_epochs,
                     validation_data=validate_ds, callbacks=get_callbacks(name), verbose=0)


tiny_model = tf.keras.Sequential([
    layers.Dense(16, activation='elu', input_shape=(FEATURES,)),
    layers.Dense(1)
])
large_model = tf.keras.Sequential([
    layers.Dense(64, activation='elu', input_shape=(FEATURES,)),
    layers.Dense(64, activation='elu', kernel_regularizer=regularizers.l2(0.001)),
    layers.Dropout(0.5),
    layers.Dense(1)
])

size_histories = {}
size_histories['Tiny'] = compile_and_fit(tiny_model, 'sizes/Tiny', max_epochs=3)
size_histories['large'] = compile_and_fit(large_model, "sizes/large")
for name, hist in size_histories.items():
    print(name, len(hist.epoch), '%.5f' % hist.history['val_binary_crossentropy'][-1])

everything = tiny_model.get_weights() + large_model.get_weights()
print(hashlib.sha256(b''.join(map(np.ndarray.tobytes, everything))).hexdigest())
