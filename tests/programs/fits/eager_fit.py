# Debugging a layer and a step: everything eager, so that print() shows numbers.
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from hashlib import sha256

keras.utils.set_random_seed(77)


class Antirectifier(layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1] * 2, 16), initializer="he_normal", name="kernel", trainable=True)

    def call(self, inputs):
        # Take the positive and the negative part of the centred input
        inputs = inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)
        pos = tf.nn.relu(inputs)
        neg = tf.nn.relu(-inputs)
        return tf.matmul(tf.concat([pos, neg], axis=-1), self.kernel)


class LoudModel(keras.Model):
    seen = 0

    def train_step(self, data):
        inputs, targets = data
        trainable_vars = self.trainable_variables
        with tf.GradientTape() as tape:
            preds = self(inputs, training=True)
            loss = self.compute_loss(x=inputs, y=targets, y_pred=preds)
        gradients = tape.gradient(loss, trainable_vars)
        self.optimizer.apply_gradients(zip(gradients, trainable_vars))
        LoudModel.seen += 1
        # Plain Python on real values, only possible when run eagerly
        print("step", LoudModel.seen, "max of grad #0: %.5f" % np.max(gradients[0].numpy()))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(targets, preds)
        return {m.name: m.result() for m in self.metrics}


inputs = keras.Input(shape=(40,))
x = Antirectifier()(inputs)
x = layers.Dropout(0.5)(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = LoudModel(inputs, outputs)

model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=keras.optimizers.RMSprop(),
    metrics=["accuracy"],
    run_eagerly=True,
)

x_train = np.random.random((128, 40)).astype("float32")
y_train = x_train[:, :10].argmax(axis=1)
model.fit(x_train, y_train, batch_size=32, epochs=2, verbose=2)

print("eager:", model.run_eagerly)
print(sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
