"""A small transformer of custom layers, with a PyDataset and a learning rate warm-up."""

import hashlib

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(5)


class Positions(layers.Layer):
    """Embeddings of tokens and of their positions."""

    def __init__(self, length, words, width):
        super().__init__()
        self.words = layers.Embedding(words, width)
        self.places = layers.Embedding(length, width)

    def call(self, x):
        """Token ids [batch, length] to [batch, length, width]."""
        return self.words(x) + self.places(ops.arange(ops.shape(x)[-1]))


class Block(layers.Layer):
    """Attention and a feed-forward network, each with a residual connection."""

    def __init__(self, heads, width, inner):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.network = keras.Sequential([layers.Dense(inner, "gelu"), layers.Dense(width)])
        self.norms = layers.LayerNormalization(), layers.LayerNormalization()
        self.dropped = layers.Dropout(0.1)

    def call(self, x):
        """[batch, length, width] to [batch, length, width]."""
        x = self.norms[0](x + self.dropped(self.attention(x, x, use_causal_mask=True)))
        return self.norms[1](x + self.network(x))


class Copies(keras.utils.PyDataset):
    """Sequences, with the next tokens as targets."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        random = np.random.default_rng(index)
        words = random.integers(0, 20, (6, 13))
        return words[:, :-1], words[:, 1:]


words = keras.Input((12,), dtype="int32")
x = Positions(12, 20, 16)(words)
for _ in range(2):
    x = Block(2, 16, 32)(x)
model = keras.Model(words, layers.Dense(20)(x))
rate = keras.optimizers.schedules.CosineDecay(0.0, 20, warmup_target=0.01, warmup_steps=3)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), loss, metrics=["accuracy"])
model.fit(Copies(), epochs=2, verbose=2, shuffle=False)
print(model.count_params())
print(hashlib.sha256(b"".join(one.tobytes() for one in model.get_weights())).hexdigest())
