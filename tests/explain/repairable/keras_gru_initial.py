import tensorflow as tf
class Decoder(tf.keras.Model):
    def __init__(self, vocab, emb, units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab, emb)
        self.gru = tf.keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.fc = tf.keras.layers.Dense(vocab)
    def call(self, x, hidden, enc):
        x = self.embedding(x)
        x = tf.concat([hidden, x], axis=-1)
        out, state = self.gru(x)
        return self.fc(out), state
d = Decoder(50, 8, 16)
o, s = d(tf.zeros((4, 1), tf.int32), tf.zeros((4, 16)), tf.zeros((4, 7, 16)))
