import tensorflow as tf
from tensorflow import keras
import numpy as np
keras.utils.set_random_seed(1)
x, y = np.random.rand(24, 4).astype("float32"), np.random.rand(24, 1).astype("float32")
def small(name=None, **options):
    hidden = keras.layers.Dense(3, "relu", name="hidden")
    made = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)], name=name)
    made.compile("adam", "mse", **options)
    return made
def digest(model):
    print(b"".join(one.tobytes() for one in model.get_weights()).hex()[-40:])

batches = small("batches")
for n in range(3):
    print(batches.train_on_batch(x[8 * n: 8 * n + 8], y[8 * n: 8 * n + 8]))
digest(batches)

slow = small("slow", run_eagerly=True)
slow.fit(x, y, batch_size=8, verbose=0)
digest(slow)

class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = keras.layers.Dense(4, name="a"), keras.layers.Dense(1, name="b")
        self.one, self.two = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-4)
    @tf.function
    def train_step(self, x):
        with tf.GradientTape(persistent=True) as tape:
            first_loss = tf.reduce_mean(tf.square(self.b(self.a(x)) - 1.0))
            second_loss = 2.0 * first_loss
        for loss, layer, optimizer in ((first_loss, self.a, self.one), (second_loss, self.b, self.two)):
            optimizer.apply(tape.gradient(loss, layer.trainable_weights), layer.trainable_weights)
        return {"loss": first_loss}
two = Two()
two.compile()
two.fit(x, batch_size=8, verbose=0)
digest(two)

looped = small("looped")
optimizer = keras.optimizers.SGD(0.1)
@tf.function
def train_step(features, targets):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(looped(features, training=True) - targets))
    optimizer.apply_gradients(zip(tape.gradient(loss, looped.trainable_variables), looped.trainable_variables))
    return loss
@tf.function
def forecast(features):
    return looped(features)
for n in range(3):
    print(float(train_step(x[8 * n: 8 * n + 8], y[8 * n: 8 * n + 8])))
print(forecast(x)[0].numpy())
digest(looped)

class Stepping(tf.Module):
    def __init__(self):
        super().__init__()
        self.model = small("exported")
        self.optimizer = keras.optimizers.SGD(0.1)
    @tf.function(input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([None, 1])])
    def train(self, features, targets):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(features) - targets))
        weights = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {"loss": loss}
    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def infer(self, features):
        return {"outputs": self.model(features)}
module = Stepping()
module.train(x, y)
print(module.infer(x)["outputs"][0].numpy())
signatures = {"train": module.train.get_concrete_function(), "infer": module.infer.get_concrete_function()}
tf.saved_model.save(module, "saved", signatures)
again = tf.saved_model.load("saved")
print(float(again.signatures["train"](features=tf.constant(x), targets=tf.constant(y))["loss"]))
print(again.infer(x)["outputs"][0].numpy())

by_hand = small("by_hand")
descent = keras.optimizers.SGD(0.1)
for n in range(3):
    inputs, targets = tf.constant(x[8 * n: 8 * n + 8]), y[8 * n: 8 * n + 8]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(by_hand(inputs, training=True) - targets))
    weights = by_hand.trainable_weights
    descent.apply_gradients(zip(tape.gradient(loss, weights), weights))
    print(float(tf.reduce_mean(by_hand(x))))
digest(by_hand)

epochs = small("epochs")
sgd = keras.optimizers.SGD(0.1)
@tf.function
def one(features, targets):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(epochs(features) - targets))
    sgd.apply(tape.gradient(loss, epochs.trainable_variables), epochs.trainable_variables)
    return loss
@tf.function
def epoch(data):
    last = 0.0
    for features, targets in data:
        last = one(features, targets)
    return last
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
for _ in range(2):
    print(float(epoch(data)))
digest(epochs)
