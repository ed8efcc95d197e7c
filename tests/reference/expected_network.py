"""Derives the layers, variables and counts of the CIFAR-10 ResNet from its specification.

No graph is built here, so that tests can compare these results with those of a built network.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]
Padding = tuple[int, int, int, int]

IMAGE_SIZE = 32
IMAGE_CHANNELS = 3
CLASSES = 10
STEM_FILTERS = 16
STAGES = 3


@dataclass(frozen=True)
class ExpectedVariable:
    """A variable of the network, named as in a checkpoint."""

    name: str
    shape: Shape
    trainable: bool

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return prod(self.shape)


@dataclass(frozen=True)
class ExpectedLayer:
    """One layer of the forward pass. `macs` are per image, `padding` is in pixels."""

    name: str
    type: str
    inputs: tuple[Shape, ...]
    output: Shape
    params: int = 0
    trainable_params: int = 0
    macs: int = 0
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    padding: Padding | None = None  # top, bottom, left, right


@dataclass(frozen=True)
class Totals:
    """Sums over the network. `params` includes the moving statistics."""

    trainable_params: int
    params: int
    macs: int


class ExpectedShapeError(ValueError):
    """Raised if the network cannot be built, because the inputs of an addition do not match.

    `layers` and `variables` are those created before the addition.
    """

    def __init__(
        self,
        layer: str,
        inputs: tuple[Shape, ...],
        layers: list[ExpectedLayer],
        variables: list[ExpectedVariable],
    ) -> None:
        super().__init__(f"{layer}: {' and '.join(map(str, inputs))} cannot be added")
        self.layer = layer
        self.inputs = inputs
        self.layers = layers
        self.variables = variables


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """Return the output size and the padding before and after, by TensorFlow's SAME rule."""
    output = -(-size // stride)
    total = max((output - 1) * stride + kernel - size, 0)
    return output, total // 2, total - total // 2


def broadcast(left: Shape, right: Shape) -> Shape | None:
    """Return the shape of the sum of two tensors of equal rank; None if they cannot be added."""
    if any(a != b and 1 not in (a, b) for a, b in zip(left, right, strict=True)):
        return None
    return tuple(b if a == 1 else a for a, b in zip(left, right, strict=True))


class _Walk:
    """Follows a tensor's shape through the network and records each layer and variable."""

    def __init__(self, n: int, ver: int, batch: int, filters: int) -> None:
        _check(n, ver)
        if batch < 1 or filters < 1:
            raise ValueError(f"batch and filters must be at least 1, not {batch} and {filters}")
        self.layers: list[ExpectedLayer] = []
        self.variables: list[ExpectedVariable] = []
        block = self._block_v1 if ver == 1 else self._block_v2

        x = self._conv("conv1", (batch, IMAGE_SIZE, IMAGE_SIZE, IMAGE_CHANNELS), 3, STEM_FILTERS)
        if ver == 1:
            x = self._relu("relu_conv1", self._bn("bn_conv1", x))
        for stage in range(STAGES):
            for i in range(n):
                first = i == 0 and stage > 0
                x = block(f"{stage}{i}", x, filters * 2**stage, first)
        if ver == 2:
            x = self._relu("relu_final", self._bn("pre_activation_final_norm", x))
        x = self._plain("final_reduce_mean", "Mean", (x,), (x[0], 1, 1, x[3]))
        features = filters * 2 ** (STAGES - 1)
        x = self._plain("Reshape", "Reshape", (x,), (prod(x) // features, features))
        self._dense("dense1", x, CLASSES)

    def _block_v1(self, block: str, x: Shape, filters: int, project: bool) -> Shape:
        stride = 2 if project else 1
        shortcut = self._projection(block, x, filters) if project else x
        x = self._conv(f"res{block}_branch2a", x, 3, filters, stride)
        x = self._relu(f"relu{block}_branch2a", self._bn(f"bn{block}_branch2a", x))
        x = self._conv(f"res{block}_branch2b", x, 3, filters)
        x = self._bn(f"bn{block}_branch2b", x)
        return self._relu(f"relu{block}", self._add(f"add{block}", shortcut, x))

    def _block_v2(self, block: str, x: Shape, filters: int, project: bool) -> Shape:
        stride = 2 if project else 1
        pre = self._relu(f"relu{block}_branch2a", self._bn(f"bn{block}_branch2a", x))
        shortcut = self._projection(block, pre, filters) if project else x
        x = self._conv(f"res{block}_branch2a", pre, 3, filters, stride)
        x = self._relu(f"relu{block}_branch2b", self._bn(f"bn{block}_branch2b", x))
        x = self._conv(f"res{block}_branch2b", x, 3, filters)
        return self._add(f"add{block}", shortcut, x)

    def _projection(self, block: str, x: Shape, filters: int) -> Shape:
        return self._bn(f"bn{block}_branch1", self._conv(f"res{block}_branch1", x, 1, filters, 2))

    def _conv(self, name: str, x: Shape, kernel: int, filters: int, stride: int = 1) -> Shape:
        batch, height, width, channels = x
        out_height, top, bottom = same_padding(height, kernel, stride)
        out_width, left, right = same_padding(width, kernel, stride)
        output = (batch, out_height, out_width, filters)
        params, trainable = self._variables(
            name, kernel=(kernel, kernel, channels, filters), bias=(filters,)
        )
        self.layers.append(
            ExpectedLayer(
                name,
                "Conv2D",
                (x,),
                output,
                params,
                trainable,
                macs=kernel * kernel * channels * filters * out_height * out_width,
                kernel=(kernel, kernel),
                stride=(stride, stride),
                padding=(top, bottom, left, right),
            )
        )
        return output

    def _bn(self, name: str, x: Shape) -> Shape:
        size = (x[3],)
        params, trainable = self._variables(
            name, gamma=size, beta=size, moving_mean=size, moving_variance=size
        )
        self.layers.append(ExpectedLayer(name, "FusedBatchNormV3", (x,), x, params, trainable))
        return x

    def _relu(self, name: str, x: Shape) -> Shape:
        return self._plain(name, "Relu", (x,), x)

    def _add(self, name: str, shortcut: Shape, residual: Shape) -> Shape:
        output = broadcast(shortcut, residual)
        if output is None:
            raise ExpectedShapeError(name, (shortcut, residual), self.layers, self.variables)
        return self._plain(name, "AddV2", (shortcut, residual), output)

    def _dense(self, name: str, x: Shape, units: int) -> Shape:
        batch, features = x
        params, trainable = self._variables(name, kernel=(features, units), bias=(units,))
        output = (batch, units)
        self.layers.append(
            ExpectedLayer(name, "MatMul", (x,), output, params, trainable, macs=features * units)
        )
        return output

    def _plain(self, name: str, kind: str, inputs: tuple[Shape, ...], output: Shape) -> Shape:
        self.layers.append(ExpectedLayer(name, kind, inputs, output))
        return output

    def _variables(self, layer: str, **shapes: Shape) -> tuple[int, int]:
        """Record a layer's variables, and return the numbers of all and of trainable elements."""
        new = [
            ExpectedVariable(f"{layer}/{key}", shape, trainable=not key.startswith("moving_"))
            for key, shape in shapes.items()
        ]
        self.variables.extend(new)
        return sum(v.size for v in new), sum(v.size for v in new if v.trainable)


def _check(n: int, ver: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if ver not in (1, 2):
        raise ValueError(f"ver must be 1 or 2, not {ver}")


def op_counts(n: int, ver: int) -> dict[str, int]:
    """Return the number of ops of each type between the images and the logits.

    They are counted from the block structure, not from `layers`, so that each can check the other.
    """
    _check(n, ver)
    blocks = STAGES * n
    projections = STAGES - 1
    convs = 1 + 2 * blocks + projections
    # Both versions have one BN and one Relu outside the blocks: v1 in the stem, v2 in the head.
    return {
        "Conv2D": convs,
        "BiasAdd": convs + 1,
        "FusedBatchNormV3": 1 + 2 * blocks + projections,
        "Relu": 1 + 2 * blocks,
        "AddV2": blocks,
        "Mean": 1,
        "Reshape": 1,
        "MatMul": 1,
    }


def variables(n: int, ver: int, filters: int = 16) -> list[ExpectedVariable]:
    """Return the variables in creation order, without optimizer slots and global step."""
    return _Walk(n, ver, 1, filters).variables


def layers(n: int, ver: int, batch: int, filters: int = 16) -> list[ExpectedLayer]:
    """Return the layers in execution order. An addition's inputs are shortcut, then residual."""
    return _Walk(n, ver, batch, filters).layers


def totals(n: int, ver: int, filters: int = 16) -> Totals:
    """Return trainable parameters, all parameters, and multiply-accumulates per image."""
    network_layers = layers(n, ver, 1, filters)
    return Totals(
        trainable_params=sum(layer.trainable_params for layer in network_layers),
        params=sum(layer.params for layer in network_layers),
        macs=sum(layer.macs for layer in network_layers),
    )
