import numpy as np
import os
import hashlib
import tensorflow as tf

from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(99)

batch_size = 16
img_height = 24
img_width = 24
class_names = ['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips']


def flower_pictures(count, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(class_names), count).astype('int32')
    x = rng.uniform(0, 90, (count, img_height, img_width, 3)).astype('float32')
    for i in range(count):
        x[i, :, :, y[i] % 3] += 30 * (1 + y[i])
    return tf.data.Dataset.from_tensor_slices((np.clip(x, 0, 255), y)).batch(batch_size)


train_ds = flower_pictures(96, 1)
val_ds = flower_pictures(32, 2)

for image_batch, labels_batch in train_ds.take(1):
    print(image_batch.shape)
    print(labels_batch.shape)

AUTOTUNE = tf.data.AUTOTUNE

train_ds = train_ds.cache().shuffle(100, seed=5).prefetch(buffer_size=AUTOTUNE)
val_ds = val_ds.cache().prefetch(buffer_size=AUTOTUNE)

data_augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal", input_shape=(img_height, img_width, 3)),
        layers.RandomRotation(0.1),
    ]
)

num_classes = len(class_names)

model = Sequential([
    data_augmentation,
    layers.Rescaling(1. / 255),
    layers.Conv2D(8, 3, padding='same', activation='relu'),
    layers.MaxPooling2D(),
    layers.Conv2D(16, 3, padding='same', activation='relu'),
    layers.MaxPooling2D(),
    layers.Dropout(0.2),
    layers.Flatten(),
    layers.Dense(16, activation='relu'),
    layers.Dense(num_classes, name="outputs")
])

model.compile(optimizer='adam',
              loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=['accuracy'])

epochs = 2
history = model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=epochs,
    verbose=2
)

one = next(iter(val_ds))[0][:1]
score = tf.nn.softmax(model.predict(one, verbose=0)[0])
print("Looks like {} ({:.2f} percent sure)".format(class_names[np.argmax(score)], 100 * np.max(score)))

weights = b""
for w in model.get_weights():
    weights += w.tobytes()
print(hashlib.sha256(weights).hexdigest())
