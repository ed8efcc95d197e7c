"""Computes the CIFAR-10 ResNet's forward pass, loss and learning rate with NumPy in float64.

It follows the specification. Tests compare the values of a recorded network with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]

EPSILON = 1e-3
STAGES = 3
BOUNDARIES = (10000, 15000, 20000, 25000)
RATES = (0.1, 0.05, 0.01, 0.005, 0.001)


class BatchStatistics(NamedTuple):
    """The statistics of one batch that update a BN layer's moving averages: unbiased variance."""

    mean: Array
    variance: Array


class LossTerms(NamedTuple):
    """The loss and its two parts. `l2` is multiplied by the weight decay."""

    cross_entropy: float
    l2: float
    total: float


def conv2d(images: Array, kernel: Array, stride: int) -> Array:
    """Return the NHWC convolution with TensorFlow's SAME padding, without bias."""
    kernel_height, kernel_width = kernel.shape[:2]
    height, width = images.shape[1:3]
    out_height, rows = _same(height, kernel_height, stride)
    out_width, columns = _same(width, kernel_width, stride)
    padded = np.pad(images, ((0, 0), rows, columns, (0, 0)))
    output = np.zeros((images.shape[0], out_height, out_width, kernel.shape[3]))
    for row in range(kernel_height):
        for column in range(kernel_width):
            window = padded[
                :,
                row : row + (out_height - 1) * stride + 1 : stride,
                column : column + (out_width - 1) * stride + 1 : stride,
            ]
            output += window @ kernel[row, column]
    return output


def _same(size: int, kernel: int, stride: int) -> tuple[int, tuple[int, int]]:
    """Return the output size, and the number of zeros before and after."""
    output = (size + stride - 1) // stride
    total = max((output - 1) * stride + kernel - size, 0)
    before = total // 2
    return output, (before, total - before)


class _Pass:
    """One forward pass. Each method computes a layer and stores its activation."""

    def __init__(self, weights: Mapping[str, FloatArray], training: bool) -> None:
        self.activations: dict[str, Array] = {}
        self.statistics: dict[str, BatchStatistics] = {}
        self._weights = weights
        self._training = training

    def keep(self, name: str, value: Array) -> Array:
        self.activations[name] = value
        return value

    def conv(self, name: str, x: Array, stride: int = 1) -> Array:
        product = conv2d(x, self._weight(name, "kernel"), stride)
        return self.keep(name, product + self._weight(name, "bias"))

    def bn(self, name: str, x: Array) -> Array:
        if self._training:
            mean = x.mean(axis=(0, 1, 2))
            variance = x.var(axis=(0, 1, 2))
            count = x.size // x.shape[3]
            self.statistics[name] = BatchStatistics(mean, variance * (count / max(count - 1, 1)))
        else:
            mean = self._weight(name, "moving_mean")
            variance = self._weight(name, "moving_variance")
        normalised = (x - mean) / np.sqrt(variance + EPSILON)
        scaled = normalised * self._weight(name, "gamma") + self._weight(name, "beta")
        return self.keep(name, scaled)

    def relu(self, name: str, x: Array) -> Array:
        return self.keep(name, np.maximum(x, 0.0))

    def dense(self, name: str, x: Array) -> Array:
        return self.keep(name, x @ self._weight(name, "kernel") + self._weight(name, "bias"))

    def block_v1(self, block: str, x: Array, project: bool) -> Array:
        shortcut = self._projection(block, x) if project else x
        x = self.conv(f"res{block}_branch2a", x, 2 if project else 1)
        x = self.relu(f"relu{block}_branch2a", self.bn(f"bn{block}_branch2a", x))
        x = self.bn(f"bn{block}_branch2b", self.conv(f"res{block}_branch2b", x))
        return self.relu(f"relu{block}", self.keep(f"add{block}", shortcut + x))

    def block_v2(self, block: str, x: Array, project: bool) -> Array:
        pre = self.relu(f"relu{block}_branch2a", self.bn(f"bn{block}_branch2a", x))
        shortcut = self._projection(block, pre) if project else x
        x = self.conv(f"res{block}_branch2a", pre, 2 if project else 1)
        x = self.relu(f"relu{block}_branch2b", self.bn(f"bn{block}_branch2b", x))
        x = self.conv(f"res{block}_branch2b", x)
        return self.keep(f"add{block}", shortcut + x)

    def _projection(self, block: str, x: Array) -> Array:
        return self.bn(f"bn{block}_branch1", self.conv(f"res{block}_branch1", x, 2))

    def _weight(self, layer: str, key: str) -> Array:
        return np.asarray(self._weights[f"{layer}/{key}"], dtype=np.float64)


def forward(
    weights: Mapping[str, FloatArray], images: FloatArray, n: int, ver: int, training: bool
) -> tuple[dict[str, Array], dict[str, BatchStatistics]]:
    """Return every layer's activation, and every BN layer's batch statistics in training.

    The activation of a convolution or dense layer is that after its bias.
    """
    if n < 1 or ver not in (1, 2):
        raise ValueError(f"n must be at least 1 and ver 1 or 2, not {n} and {ver}")
    run = _Pass(weights, training)
    x = run.conv("conv1", np.asarray(images, dtype=np.float64))
    if ver == 1:
        x = run.relu("relu_conv1", run.bn("bn_conv1", x))
    block = run.block_v1 if ver == 1 else run.block_v2
    for stage in range(STAGES):
        for i in range(n):
            x = block(f"{stage}{i}", x, stage > 0 and i == 0)
    if ver == 2:
        x = run.relu("relu_final", run.bn("pre_activation_final_norm", x))
    x = run.keep("final_reduce_mean", x.mean(axis=(1, 2), keepdims=True))
    x = run.keep("Reshape", x.reshape(-1, x.shape[3]))
    run.dense("dense1", x)
    return run.activations, run.statistics


def loss(
    weights: Mapping[str, FloatArray],
    logits: FloatArray,
    labels: IntArray,
    weight_decay: float = 2e-4,
) -> LossTerms:
    """Return the mean cross entropy, the decayed L2 of all trainable variables, and their sum."""
    scores = np.asarray(logits, dtype=np.float64)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    cross_entropy = -float(log_probabilities[np.arange(len(labels)), labels].mean())
    squares = (
        float(np.sum(np.square(value, dtype=np.float64)))
        for name, value in weights.items()
        if not name.endswith(("/moving_mean", "/moving_variance"))
    )
    l2 = weight_decay * sum(squares) / 2
    return LossTerms(cross_entropy, l2, cross_entropy + l2)


def schedule(step: int) -> float:
    """Return the learning rate. A boundary step itself still has the rate before it."""
    return RATES[sum(step > boundary for boundary in BOUNDARIES)]
