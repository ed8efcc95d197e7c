"""Multiply-accumulates and parameters of Keras layers, from their settings and shapes.

Each formula is written by hand for one class of layers. No graph and no op is read. Shapes have
no batch. Counted are products of inputs and weights, and products of two tensors as in attention;
not counted are bias additions, activations and elementwise products.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

Shape = tuple[int, ...]


class Call(NamedTuple):
    """A layer of a functional model, and the shapes of its inputs and its output."""

    layer: Any
    inputs: list[Shape]
    output: Shape

    @classmethod
    def of(cls, layer: Any) -> Call:
        """Return the only call of a layer."""
        return cls(layer, _shapes(layer.input), _shapes(layer.output)[0])

    def size(self, name: str) -> int:
        """Return a number of the layer's settings."""
        return int(getattr(self.layer, name))

    @property
    def kernel(self) -> int:
        """Return the positions in a window."""
        return prod(int(size) for size in self.layer.kernel_size)

    @property
    def channels(self) -> int:
        """Return the channels of the input."""
        return self.inputs[0][0 if self.layer.data_format == "channels_first" else -1]

    def positions(self, shape: Shape) -> int:
        """Return the positions of a tensor, without its channels."""
        return prod(shape[1:] if self.layer.data_format == "channels_first" else shape[:-1])


def _shapes(tensors: Any) -> list[Shape]:
    several = tensors if isinstance(tensors, list | tuple) else [tensors]
    return [tuple(tensor.shape[1:]) for tensor in several]


def macs(layer: Any) -> int:
    """Return the multiply-accumulates of a built layer in a functional model, for one example."""
    return _macs(Call.of(layer))


def macs_of(layer: Any, inputs: list[Shape], output: Shape) -> int | None:
    """Return the multiply-accumulates of a call; None without a formula for the layer's class."""
    known = type(layer).__name__ in FREE or type(layer).__name__ in FORMULAS
    return _macs(Call(layer, inputs, output)) if known else None


def _macs(call: Call) -> int:
    kind = type(call.layer).__name__
    if kind in FREE:
        return 0
    return FORMULAS[kind](call)


# Layers without products of this kind.
FREE = {
    "InputLayer", "Embedding", "Activation", "ReLU", "Softmax", "Dropout", "Flatten", "Reshape",
    "Add", "Multiply", "Concatenate", "Rescaling", "Normalization", "BatchNormalization",
    "LayerNormalization", "MaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "ZeroPadding2D", "LeakyReLU", "RandomFlip", "GlobalMaxPooling2D", "GroupNormalization",
    "UpSampling2D",
    # operations, and layers of the recipes in docs/recipes
    "TrueDivide", "Subtract", "Sampling", "Distance",
}  # fmt: skip


def _dense(call: Call) -> int:
    """Each of the `units` outputs of each position multiplies all features."""
    *positions, features = call.inputs[0]
    return prod(positions) * features * call.size("units")


def _convolution(call: Call) -> int:
    """Each output multiplies a window of the input channels of its group."""
    window = call.kernel * call.channels // call.size("groups")
    return call.positions(call.output) * call.size("filters") * window


def _transposed(call: Call) -> int:
    """Each input is multiplied with the whole kernel."""
    return call.positions(call.inputs[0]) * call.kernel * call.channels * call.size("filters")


def _depthwise(call: Call) -> int:
    between = call.channels * call.size("depth_multiplier")
    return call.positions(call.output) * call.kernel * between


def _separable(call: Call) -> int:
    between = call.channels * call.size("depth_multiplier")
    return _depthwise(call) + call.positions(call.output) * between * call.size("filters")


def _recurrent(gates: int) -> Callable[[Call], int]:
    """Each step multiplies the features and the state with a kernel for each gate."""

    def count(call: Call) -> int:
        (steps, features), units = call.inputs[0], call.size("units")
        return steps * gates * units * (features + units)

    return count


def _bidirectional(call: Call) -> int:
    return 2 * _macs(call._replace(layer=call.layer.forward_layer))


def _distributed(call: Call) -> int:
    steps, *step = call.inputs[0]
    return steps * _macs(Call(call.layer.layer, [tuple(step)], call.output[1:]))


def _einsum_dense(call: Call) -> int:
    """One product for each combination of the letters of the equation, without the batch."""
    left, _, rest = call.layer.equation.partition(",")
    right, _, result = rest.partition("->")
    sizes: dict[str, int] = dict(zip(left[1:], call.inputs[0], strict=True))
    sizes |= dict(zip(right, call.layer.kernel.shape, strict=True))
    sizes |= dict(zip(result[1:], call.output, strict=True))
    return prod(sizes.values())


def _heads(call: Call) -> int:
    """Projections of query, key and value, QKᵀ, the weighted sum of values, output projection."""
    settings = call.layer.get_config()
    heads, key = int(settings["num_heads"]), int(settings["key_dim"])
    value = int(settings["value_dim"] or key)
    (steps, width), (others, value_width) = call.inputs[:2]
    key_width = call.inputs[2][1] if len(call.inputs) > 2 else value_width
    projections = steps * width * heads * key
    projections += others * key_width * heads * key + others * value_width * heads * value
    products = heads * steps * others * (key + value)
    return projections + products + steps * heads * value * call.output[-1]


def _grouped_query(call: Call) -> int:
    """Several heads of the query share a head of key and value."""
    heads, shared = call.size("num_query_heads"), call.size("num_key_value_heads")
    size = call.size("head_dim")
    (steps, width), (others, other_width) = call.inputs[:2]
    projections = steps * width * heads * size + 2 * others * other_width * shared * size
    products = 2 * heads * steps * others * size
    return projections + products + steps * heads * size * call.output[-1]


def _dot_attention(call: Call) -> int:
    (steps, width), (others, value_width) = call.inputs[:2]
    return steps * others * (width + value_width)


def _additive_attention(call: Call) -> int:
    """Scores are sums of elementwise products, so only the weighted sum of values counts."""
    (steps, _), (others, value_width) = call.inputs[:2]
    return steps * others * value_width


def _dot(call: Call) -> int:
    return prod(call.output) * call.inputs[0][call.size("axes") - 1]


FORMULAS: dict[str, Callable[[Call], int]] = {
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
    "MultiHeadAttention": _heads,
    "GroupedQueryAttention": _grouped_query,
    "Attention": _dot_attention,
    "AdditiveAttention": _additive_attention,
    "Dot": _dot,
}


def parameters(layer: Any) -> int | None:
    """Return the parameters of a layer; None without a formula for its class."""
    formula = PARAMETERS.get(type(layer).__name__)
    return formula(Call.of(layer)) if formula else None


def _of_kernel(call: Call, kernel: int, units: int) -> int:
    return kernel + (units if call.layer.use_bias else 0)


def _of_dense(call: Call) -> int:
    units = call.size("units")
    return _of_kernel(call, call.inputs[0][-1] * units, units)


def _of_convolution(call: Call) -> int:
    filters = call.size("filters")
    window = call.kernel * call.channels // call.size("groups")
    return _of_kernel(call, window * filters, filters)


def _of_transposed(call: Call) -> int:
    filters = call.size("filters")
    return _of_kernel(call, call.kernel * call.channels * filters, filters)


def _of_depthwise(call: Call) -> int:
    between = call.channels * call.size("depth_multiplier")
    return _of_kernel(call, call.kernel * between, between)


def _of_separable(call: Call) -> int:
    between, filters = call.channels * call.size("depth_multiplier"), call.size("filters")
    return _of_kernel(call, (call.kernel + filters) * between, filters)


def _of_heads(call: Call) -> int:
    settings, width = call.layer.get_config(), call.inputs[0][-1]
    heads, key = int(settings["num_heads"]), int(settings["key_dim"])
    value = int(settings["value_dim"] or key)
    projections = 2 * (width + 1) * heads * key + (width + 1) * heads * value
    return projections + heads * value * width + width


def _of_recurrent(gates: int, biases: int) -> Callable[[Call], int]:
    def count(call: Call) -> int:
        units = call.size("units")
        return gates * units * (call.inputs[0][-1] + units + biases)

    return count


PARAMETERS: dict[str, Callable[[Call], int]] = {
    "Dense": _of_dense,
    "Embedding": lambda call: call.size("input_dim") * call.size("output_dim"),
    "Conv1D": _of_convolution,
    "Conv2D": _of_convolution,
    "Conv3D": _of_convolution,
    "Conv1DTranspose": _of_transposed,
    "Conv2DTranspose": _of_transposed,
    "Conv3DTranspose": _of_transposed,
    "DepthwiseConv1D": _of_depthwise,
    "DepthwiseConv2D": _of_depthwise,
    "SeparableConv1D": _of_separable,
    "SeparableConv2D": _of_separable,
    "SimpleRNN": _of_recurrent(1, 1),
    "LSTM": _of_recurrent(4, 1),
    "GRU": _of_recurrent(3, 2),
    "MultiHeadAttention": _of_heads,
    "BatchNormalization": lambda call: 4 * call.inputs[0][-1],
    "LayerNormalization": lambda call: 2 * call.inputs[0][-1],
}
