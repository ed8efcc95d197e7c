"""Learns a code for sending one of twelve messages. After keras-team/keras #12405."""
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Input, Dense, Lambda, Reshape, LSTM
from tensorflow.keras.models import Model

M = 12
n_channel = 14

input_signal = Input(shape=(M,))
encoded = Dense(M, activation='relu')(input_signal)
encoded1 = Dense(n_channel, activation='linear')(encoded)
encoded2 = Lambda(lambda x: np.sqrt(n_channel) * tf.nn.l2_normalize(x, axis=1))(encoded1)
encode_reshape = Reshape((-1, 4))(encoded2)
decoded = LSTM(16)(encode_reshape)
decoded1 = Dense(M, activation='softmax')(decoded)

autoencoder = Model(input_signal, decoded1)
autoencoder.compile(optimizer='adam', loss='categorical_crossentropy')
messages = np.eye(M)[np.random.randint(0, M, 48)]
autoencoder.fit(messages, messages, epochs=1, batch_size=16, verbose=0)
