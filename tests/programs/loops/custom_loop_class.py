import hashlib
import os
import tempfile

import tensorflow as tf
import numpy as np

from tensorflow.keras.layers import Dense, Flatten, Conv2D
from tensorflow.keras import Model

tf.keras.utils.set_random_seed(7)

gen = np.random.default_rng(1)
images = gen.random((192, 14, 14)).astype("float32")
labels = (images[:, :7].mean(axis=(1, 2)) > images[:, 7:].mean(axis=(1, 2))).astype("int64")

# Add a channels dimension
images = images[..., tf.newaxis]

train_ds = tf.data.Dataset.from_tensor_slices((images[:160], labels[:160])).shuffle(1000, seed=0).batch(32)
test_ds = tf.data.Dataset.from_tensor_slices((images[160:], labels[160:])).batch(32)


class MyModel(Model):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(8, 3, activation='relu')
        self.flatten = Flatten()
        self.d1 = Dense(16, activation='relu')
        self.d2 = Dense(2)

    def call(self, x):
        x = self.conv1(x)
        x = self.flatten(x)
        return self.d2(self.d1(x))


class Trainer:
    def __init__(self, model, checkpoint_dir):
        self.model = model
        self.optimizer = tf.keras.optimizers.Adam()
        self.loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.train_loss = tf.keras.metrics.Mean(name='train_loss')
        self.train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy(name='train_accuracy')
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self.checkpoint = tf.train.Checkpoint(epoch=self.epoch, model=model, optimizer=self.optimizer)
        self.manager = tf.train.CheckpointManager(self.checkpoint, checkpoint_dir, max_to_keep=2)

    @tf.function
    def train_step(self, x, y):
        with tf.GradientTape() as tape:
            predictions = self.model(x, training=True)
            loss = self.loss_object(y, predictions)
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables))
        self.train_loss(loss)
        self.train_accuracy(y, predictions)

    def train(self, dataset, epochs):
        for _ in range(epochs):
            self.train_loss.reset_state()
            self.train_accuracy.reset_state()
            for x, y in dataset:
                self.train_step(x, y)
            self.epoch.assign_add(1)
            path = self.manager.save()
            print(f'Epoch {int(self.epoch)}, Loss: {self.train_loss.result():.4f}, '
                  f'Accuracy: {self.train_accuracy.result() * 100:.2f}, saved {os.path.basename(path)}')


with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(MyModel(), folder)
    trainer.train(train_ds, epochs=3)
    # Throw away the last epoch and do it again from the one before.
    trainer.checkpoint.restore(trainer.manager.checkpoints[0])
    print("back at epoch", int(trainer.epoch))
    trainer.train(train_ds, epochs=1)

print(hashlib.sha256(b"".join(v.numpy().tobytes() for v in trainer.model.variables)).hexdigest())
