import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'

import hashlib
import tensorflow as tf
import numpy as np

tf.random.set_seed(0)
np.random.seed(0)

print("TensorFlow version: {}".format(tf.__version__))
print("Eager execution: {}".format(tf.executing_eagerly()))

# Three kinds of flower, four measurements each.
centers = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
species = np.random.randint(0, 3, size=120)
measurements = (centers[species] + 0.25 * np.random.randn(120, 4)).astype('float32')

ds_train = tf.data.Dataset.from_tensor_slices((measurements, species)).batch(24)

def start(seed):
    return tf.keras.initializers.GlorotUniform(seed=seed)


model = tf.keras.Sequential([
    tf.keras.layers.Dense(10, activation=tf.nn.relu, input_shape=(4,), kernel_initializer=start(1)),
    tf.keras.layers.Dense(10, activation=tf.nn.relu, kernel_initializer=start(2)),
    tf.keras.layers.Dense(3, kernel_initializer=start(3))
])

loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def loss(model, x, y, training):
    y_ = model(x, training=training)
    return loss_object(y_true=y, y_pred=y_)


def grad(model, inputs, targets):
    with tf.GradientTape() as tape:
        loss_value = loss(model, inputs, targets, training=True)
    return loss_value, tape.gradient(loss_value, model.trainable_variables)


optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)

# One step by itself
features, labels = next(iter(ds_train))
loss_value, grads = grad(model, features, labels)
print("Step: {}, Initial Loss: {:.4f}".format(optimizer.iterations.numpy(), loss_value.numpy()))
optimizer.apply_gradients(zip(grads, model.trainable_variables))
print("Step: {},         Loss: {:.4f}".format(optimizer.iterations.numpy(),
                                              loss(model, features, labels, training=True).numpy()))

# Keep results for plotting
train_loss_results = []
num_epochs = 4

for epoch in range(num_epochs):
    epoch_loss_avg = tf.keras.metrics.Mean()
    epoch_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()

    for x, y in ds_train:
        loss_value, grads = grad(model, x, y)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        epoch_loss_avg.update_state(loss_value)
        epoch_accuracy.update_state(y, model(x, training=True))

    train_loss_results.append(epoch_loss_avg.result())
    print("Epoch {:03d}: Loss: {:.3f}, Accuracy: {:.3%}".format(epoch, epoch_loss_avg.result(),
                                                                epoch_accuracy.result()))

weights = [v.numpy().tobytes() for v in model.trainable_variables]
print(hashlib.sha256(b''.join(weights)).hexdigest())
