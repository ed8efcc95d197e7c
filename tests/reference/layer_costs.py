"""Multiply-accumulates and parameters of Keras layers, from their settings and shapes.

Each formula is written by hand for one class of layers. No graph and no op is read. Shapes have
no batch. Counted are products of inputs and weights, and products of two tensors as in attention;
not counted are bias additions, activations and elementwise products.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

Shape = tuple[int, ...]
Layer = Any


def macs(layer: Layer) -> int:
    """Return the multiply-accumulates of a built layer in a functional model, for one example."""
    kind = type(layer).__name__
    inputs, output = _shapes(layer.input), _shapes(layer.output)
    return FORMULAS[kind](layer, inputs, output[0]) if kind in FORMULAS else _none(layer)


def _shapes(tensors: Any) -> list[Shape]:
    several = tensors if isinstance(tensors, list | tuple) else [tensors]
    return [tuple(tensor.shape[1:]) for tensor in several]


# Layers without products of this kind.
FREE = {
    "InputLayer", "Embedding", "Activation", "ReLU", "LeakyReLU", "Softmax", "Dropout", "Flatten",
    "Reshape", "Permute", "Add", "Multiply", "Concatenate", "Subtract", "Average", "Rescaling",
    "Normalization", "BatchNormalization", "LayerNormalization", "GroupNormalization",
    "MaxPooling1D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "UpSampling2D", "ZeroPadding2D", "Cropping2D",
}  # fmt: skip


def _none(layer: Layer) -> int:
    if type(layer).__name__ not in FREE:
        raise LookupError(f"no formula for {type(layer).__name__}")
    return 0


def _dense(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Each of the `units` outputs of each position multiplies all features."""
    *positions, features = inputs[0]
    return prod(positions) * features * layer.units


def _spatial(layer: Layer, shape: Shape) -> int:
    return prod(shape[1:] if layer.data_format == "channels_first" else shape[:-1])


def _channels(layer: Layer, shape: Shape) -> int:
    return shape[0 if layer.data_format == "channels_first" else -1]


def _convolution(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Each output multiplies a window of the input channels of its group."""
    window = prod(layer.kernel_size) * _channels(layer, inputs[0]) // layer.groups
    return _spatial(layer, output) * layer.filters * window


def _transposed(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Each input is multiplied with the whole kernel."""
    kernel = prod(layer.kernel_size) * _channels(layer, inputs[0]) * layer.filters
    return _spatial(layer, inputs[0]) * kernel


def _depthwise(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    kernel = prod(layer.kernel_size) * _channels(layer, inputs[0]) * layer.depth_multiplier
    return _spatial(layer, output) * kernel


def _separable(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    between = _channels(layer, inputs[0]) * layer.depth_multiplier
    return _depthwise(layer, inputs, output) + _spatial(layer, output) * between * layer.filters


def _recurrent(gates: int) -> Callable[[Layer, list[Shape], Shape], int]:
    """Each step multiplies the features and the state with a kernel for each gate."""

    def count(layer: Layer, inputs: list[Shape], output: Shape) -> int:
        steps, features = inputs[0]
        return steps * gates * layer.units * (features + layer.units)

    return count


def _bidirectional(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    inside = FORMULAS[type(layer.forward_layer).__name__]
    return 2 * inside(layer.forward_layer, inputs, output)


def _distributed(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    steps, *step = inputs[0]
    inside = FORMULAS[type(layer.layer).__name__]
    return steps * inside(layer.layer, [tuple(step)], tuple(output[1:]))


def _einsum_dense(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """One product for each combination of the letters of the equation, without the batch."""
    left, _, rest = layer.equation.partition(",")
    right, _, result = rest.partition("->")
    sizes = dict(zip(left[1:], inputs[0], strict=True))
    sizes |= dict(zip(right, layer.kernel.shape, strict=True))
    sizes |= dict(zip(result[1:], output, strict=True))
    return prod(sizes.values())


def _attention_heads(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Projections of query, key and value, QKᵀ, the weighted sum of values, output projection."""
    settings = layer.get_config()
    heads, key = settings["num_heads"], settings["key_dim"]
    value = settings["value_dim"] or key
    (steps, width), (others, value_width) = inputs[0], inputs[1]
    key_width = inputs[2][1] if len(inputs) > 2 else value_width
    projections = steps * width * heads * key
    projections += others * key_width * heads * key + others * value_width * heads * value
    products = heads * steps * others * (key + value)
    return projections + products + steps * heads * value * output[-1]


def _grouped_query(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Several heads of the query share a head of key and value."""
    heads, shared, size = layer.num_query_heads, layer.num_key_value_heads, layer.head_dim
    (steps, width), (others, other_width) = inputs[0], inputs[1]
    projections = steps * width * heads * size + 2 * others * other_width * shared * size
    products = 2 * heads * steps * others * size
    return projections + products + steps * heads * size * output[-1]


def _dot_attention(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    (steps, width), (others, value_width) = inputs[0], inputs[1]
    return steps * others * (width + value_width)


def _additive_attention(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    """Scores are sums of elementwise products, only the weighted sum of values counts."""
    (steps, _), (others, value_width) = inputs[0], inputs[1]
    return steps * others * value_width


def _dot(layer: Layer, inputs: list[Shape], output: Shape) -> int:
    axes = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return prod(output) * inputs[0][axes - 1]


FORMULAS: dict[str, Callable[[Layer, list[Shape], Shape], int]] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv1DTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "SimpleRNN": _recurrent(1),
    "GRU": _recurrent(3),
    "LSTM": _recurrent(4),
    "Bidirectional": _bidirectional,
    "TimeDistributed": _distributed,
    "MultiHeadAttention": _attention_heads,
    "GroupedQueryAttention": _grouped_query,
    "Attention": _dot_attention,
    "AdditiveAttention": _additive_attention,
    "Dot": _dot,
}


def parameters(layer: Layer) -> int:
    """Return the parameters of layers, from their settings and shapes."""
    kind = type(layer).__name__
    return PARAMETERS[kind](layer, _shapes(layer.input)) if kind in PARAMETERS else 0


def _convolution_parameters(layer: Layer, inputs: list[Shape]) -> int:
    window = prod(layer.kernel_size) * _channels(layer, inputs[0]) // layer.groups
    return window * layer.filters + layer.use_bias * layer.filters


def _transposed_parameters(layer: Layer, inputs: list[Shape]) -> int:
    kernel = prod(layer.kernel_size) * _channels(layer, inputs[0]) * layer.filters
    return kernel + layer.use_bias * layer.filters


def _depthwise_parameters(layer: Layer, inputs: list[Shape]) -> int:
    between = _channels(layer, inputs[0]) * layer.depth_multiplier
    return (prod(layer.kernel_size) + layer.use_bias) * between


def _separable_parameters(layer: Layer, inputs: list[Shape]) -> int:
    between = _channels(layer, inputs[0]) * layer.depth_multiplier
    return (prod(layer.kernel_size) + layer.filters) * between + layer.use_bias * layer.filters


def _heads_parameters(layer: Layer, inputs: list[Shape]) -> int:
    settings = layer.get_config()
    heads, key = settings["num_heads"], settings["key_dim"]
    value, width = settings["value_dim"] or key, inputs[0][-1]
    projections = 2 * (width + 1) * heads * key + (width + 1) * heads * value
    return projections + heads * value * width + width


def _recurrent_parameters(gates: int, biases: int) -> Callable[[Layer, list[Shape]], int]:
    def count(layer: Layer, inputs: list[Shape]) -> int:
        return gates * layer.units * (inputs[0][-1] + layer.units + biases)

    return count


PARAMETERS: dict[str, Callable[[Layer, list[Shape]], int]] = {
    "Dense": lambda layer, inputs: (inputs[0][-1] + layer.use_bias) * layer.units,
    "Embedding": lambda layer, inputs: layer.input_dim * layer.output_dim,
    "Conv1D": _convolution_parameters,
    "Conv2D": _convolution_parameters,
    "Conv3D": _convolution_parameters,
    "Conv1DTranspose": _transposed_parameters,
    "Conv2DTranspose": _transposed_parameters,
    "Conv3DTranspose": _transposed_parameters,
    "DepthwiseConv1D": _depthwise_parameters,
    "DepthwiseConv2D": _depthwise_parameters,
    "SeparableConv1D": _separable_parameters,
    "SeparableConv2D": _separable_parameters,
    "SimpleRNN": _recurrent_parameters(1, 1),
    "LSTM": _recurrent_parameters(4, 1),
    "GRU": _recurrent_parameters(3, 2),
    "MultiHeadAttention": _heads_parameters,
    "BatchNormalization": lambda layer, inputs: 4 * inputs[0][-1],
    "LayerNormalization": lambda layer, inputs: 2 * inputs[0][-1],
}
