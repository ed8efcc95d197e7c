"""Matches pictures and captions; each picture is compared with all captions of the batch."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(2)
pictures = np.random.rand(48, 6, 6, 1).astype("float32")
captions = np.random.randint(0, 20, (48, 5))
look = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(4, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(8),
    ]
)
read = keras.Sequential(
    [
        keras.Input((5,)),
        keras.layers.Embedding(20, 6),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(8),
    ]
)
optimizer = keras.optimizers.Adam(1e-3)
entropy = keras.losses.CategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(picture, caption):
    with tf.GradientTape() as tape:
        seen, heard = look(picture, training=True), read(caption, training=True)
        logits = tf.matmul(heard, seen, transpose_b=True)
        near = tf.reduce_sum(tf.square(seen[:, None] - heard[None]), axis=-1)
        wanted = tf.eye(tf.shape(logits)[0])
        loss = entropy(wanted, logits) + entropy(wanted, -near)
    weights = look.trainable_variables + read.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


for picture, caption in tf.data.Dataset.from_tensor_slices((pictures, captions)).batch(12):
    train_step(picture, caption)
