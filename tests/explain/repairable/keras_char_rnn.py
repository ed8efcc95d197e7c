import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Embedding, LSTM, Dense
vocab_size = 40
X = np.random.randint(0, vocab_size, (50, 12))
y = np.random.randint(0, vocab_size, 50)
model = tf.keras.Sequential()
model.add(Embedding(vocab_size, 16))
model.add(LSTM(32, return_sequences=True))
model.add(LSTM(32, return_sequences=True))
model.add(Dense(vocab_size, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
model.fit(X, y, epochs=1, verbose=0)
