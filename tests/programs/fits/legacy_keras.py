import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # stay with Keras 2

import hashlib

import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__, "with Keras 2")

tf.keras.utils.set_random_seed(6)

# Sonar-like signals: 60 strengths in, rock or mine out.
generator = np.random.RandomState(6)
signals = generator.rand(192, 60).astype("float32")
is_mine = (signals[:, :30].sum(axis=1) > signals[:, 30:].sum(axis=1)).astype("float32")

train_x, test_x = signals[:160], signals[160:]
train_y, test_y = is_mine[:160], is_mine[160:]


def baseline():
    model = tf.keras.models.Sequential()
    model.add(tf.keras.layers.Dense(30, input_dim=60, activation="relu",
                                    kernel_initializer="glorot_uniform"))
    model.add(tf.keras.layers.BatchNormalization())
    model.add(tf.keras.layers.Dropout(0.25))
    model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy",
                  optimizer=tf.keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
                  metrics=["accuracy"])
    return model


class PrintLR(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        rate = tf.keras.backend.get_value(self.model.optimizer.lr)
        print("epoch %d: lr %.4f, loss %.4f, val_loss %.4f"
              % (epoch, rate, logs["loss"], logs["val_loss"]))


def decay(epoch, lr):
    return lr if epoch < 1 else lr * 0.5


model = baseline()
history = model.fit(train_x, train_y,
                    epochs=3,
                    batch_size=32,
                    validation_data=(test_x, test_y),
                    callbacks=[tf.keras.callbacks.LearningRateScheduler(decay), PrintLR()],
                    verbose=0)

result = model.evaluate(test_x, test_y, verbose=0)
print("test loss %.4f, accuracy %.4f" % tuple(result))
print("iterations", int(model.optimizer.iterations.numpy()))

print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
