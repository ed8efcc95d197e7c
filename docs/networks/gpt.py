"""A decoder in the manner of GPT-2: 12 blocks of causal attention, as layers that call layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class Tokens(layers.Layer):  # type: ignore[misc]
    """Embeddings of tokens, with those of their positions."""

    def __init__(self, words: int, length: int, width: int) -> None:
        super().__init__()
        self.words = layers.Embedding(words, width)
        self.positions = layers.Embedding(length, width)

    def call(self, tokens: Any) -> Any:
        """[batch, length] to [batch, length, width]."""
        return self.words(tokens) + self.positions(ops.arange(ops.shape(tokens)[1]))


class Block(layers.Layer):  # type: ignore[misc]
    """Causal attention and two dense layers, each after a normalization and beside a shortcut."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.before = layers.LayerNormalization()
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.between = layers.LayerNormalization()
        self.wide = layers.Dense(4 * width, activation="gelu")
        self.narrow = layers.Dense(width)

    def call(self, x: Any) -> Any:
        """[batch, length, width] to the same shape."""
        normal = self.before(x)
        x = x + self.attention(normal, normal, use_causal_mask=True)
        return x + self.narrow(self.wide(self.between(x)))


def gpt(blocks: int = 12, heads: int = 3, width: int = 24, words: int = 50) -> Any:
    """Token ids [batch, 16] to logits of the next token [batch, 16, words]."""
    tokens = keras.Input((16,), dtype="int32")
    x = Tokens(words, 16, width)(tokens)
    for _ in range(blocks):
        x = Block(heads, width)(x)
    return keras.Model(tokens, layers.Dense(words)(layers.LayerNormalization()(x)))
