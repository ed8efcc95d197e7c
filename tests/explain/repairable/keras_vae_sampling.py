import numpy as np
import tensorflow as tf
from tensorflow.keras import layers
latent_dim = 4
batch_size = 16
def sampling(args):
    z_mean, z_log_var = args
    epsilon = tf.random.normal(shape=(batch_size, latent_dim))
    return z_mean + tf.exp(0.5 * z_log_var) * epsilon
inp = layers.Input((12,))
h = layers.Dense(8, activation="relu")(inp)
z_mean = layers.Dense(latent_dim)(h)
z_log_var = layers.Dense(latent_dim)(h)
z = layers.Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
out = layers.Dense(12)(z)
vae = tf.keras.Model(inp, out)
vae.compile("adam", "mse")
x = np.random.rand(40, 12)
vae.fit(x, x, batch_size=batch_size, verbose=0)
