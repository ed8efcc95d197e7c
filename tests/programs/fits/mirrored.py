# Import TensorFlow
import tensorflow as tf

import hashlib
import os
import tempfile

import numpy as np

tf.keras.utils.set_random_seed(12)

strategy = tf.distribute.MirroredStrategy()
print('Number of devices: {}'.format(strategy.num_replicas_in_sync))

BUFFER_SIZE = 256
BATCH_SIZE_PER_REPLICA = 32
BATCH_SIZE = BATCH_SIZE_PER_REPLICA * strategy.num_replicas_in_sync

rng = np.random.RandomState(12)
pictures = rng.randint(0, 256, (256, 16, 16, 1)).astype('uint8')
kinds = (pictures[:, :8].mean(axis=(1, 2, 3)) > pictures[:, 8:].mean(axis=(1, 2, 3))).astype('int64')


def scale(image, label):
    image = tf.cast(image, tf.float32)
    image /= 255
    return image, label


data = tf.data.Dataset.from_tensor_slices((pictures, kinds))
train_dataset = data.take(192).map(scale).cache().shuffle(BUFFER_SIZE, seed=3).batch(BATCH_SIZE)
eval_dataset = data.skip(192).map(scale).batch(BATCH_SIZE)

with strategy.scope():
    model = tf.keras.Sequential([
        tf.keras.layers.Conv2D(8, 3, activation='relu', input_shape=(16, 16, 1)),
        tf.keras.layers.MaxPooling2D(),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(16, activation='relu'),
        tf.keras.layers.Dense(2)
    ])

    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  optimizer=tf.keras.optimizers.Adam(learning_rate=0.001),
                  metrics=['accuracy'])


# Step the rate down as the epochs go by.
def decay(epoch):
    return 1e-3 if epoch < 2 else 1e-4


class PrintLR(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print('Learning rate for epoch {} is {:.5f}'.format(
            epoch + 1, float(self.model.optimizer.learning_rate.numpy())))


callbacks = [tf.keras.callbacks.LearningRateScheduler(decay), PrintLR()]

EPOCHS = 3
with strategy.scope():
    model.fit(train_dataset, epochs=EPOCHS, callbacks=callbacks, verbose=2)

eval_loss, eval_acc = model.evaluate(eval_dataset, verbose=0)
print('Eval loss: {:.4f}, Eval accuracy: {:.4f}'.format(eval_loss, eval_acc))

print(hashlib.sha256(b''.join(w.tobytes() for w in model.get_weights())).hexdigest())
