import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
latent_dim = 16
gen = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(latent_dim,)), layers.Dense(20)])
disc = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(28,)), layers.Dense(1)])
noise = tf.random.normal((4, latent_dim))
fake = gen(noise)
score = disc(fake)
