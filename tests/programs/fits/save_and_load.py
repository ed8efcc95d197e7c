import os
import hashlib
import shutil
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow import keras

print(tf.version.VERSION)
keras.utils.set_random_seed(10)

r = np.random.RandomState(0)
train_images = r.rand(192, 784).astype('float32')
train_labels = train_images[:, :10].argmax(axis=1)
test_images = r.rand(64, 784).astype('float32')
test_labels = test_images[:, :10].argmax(axis=1)


# Define a simple sequential model
def create_model():
    model = tf.keras.Sequential([
        keras.layers.Dense(32, activation='relu', input_shape=(784,)),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10)
    ])

    model.compile(optimizer='adam',
                  loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=[tf.keras.metrics.SparseCategoricalAccuracy()])
    return model


model = create_model()
model.summary()

workdir = tempfile.mkdtemp()
checkpoint_path = os.path.join(workdir, "training_1", "cp.weights.h5")
checkpoint_dir = os.path.dirname(checkpoint_path)
os.makedirs(checkpoint_dir)

cp_callback = tf.keras.callbacks.ModelCheckpoint(filepath=checkpoint_path,
                                                 save_weights_only=True,
                                                 verbose=0)

model.fit(train_images,
          train_labels,
          epochs=2,
          validation_data=(test_images, test_labels),
          callbacks=[cp_callback], verbose=2)
print(os.listdir(checkpoint_dir))

# A fresh model guesses; with the saved weights it agrees with the trained one.
model = create_model()
loss, acc = model.evaluate(test_images, test_labels, verbose=0)
print("Untrained model, loss: {:.4f}".format(loss))
model.load_weights(checkpoint_path)
loss, acc = model.evaluate(test_images, test_labels, verbose=0)
print("Restored model, loss: {:.4f}".format(loss))

# Whole-model file. Training goes on, then a reload carries the optimizer too.
model.fit(train_images, train_labels, epochs=1, verbose=2)
model.save(os.path.join(workdir, 'my_model.keras'))
new_model = tf.keras.models.load_model(os.path.join(workdir, 'my_model.keras'))
print("steps so far:", int(new_model.optimizer.iterations))
new_model.fit(train_images, train_labels, epochs=1, verbose=2)
print("steps so far:", int(new_model.optimizer.iterations))

shutil.rmtree(workdir)
print(hashlib.sha256(b"".join(w.tobytes() for w in new_model.get_weights())).hexdigest())
