"""The layers of the tutorial's network on TensorFlow's fused ops, one op each.

Ops and variables are named as by the TensorFlow 1 layer API. Keras 3 layers are not used, as they
would add about 300 Reshape and Squeeze ops to this network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import (
    Construction,
    Initializer,
    Tensor,
    glorot_uniform,
)

BN_MOMENTUM = 0.99
BN_EPSILON = 1e-3


class Layers:
    """Layer calls on one construction. Tensors are images [batch, height, width, channels]."""

    def __init__(
        self,
        construction: Construction,
        *,
        training: bool,
        bn_axis: int,
        update_ops: bool,
        batch_norm: bool = True,
    ) -> None:
        self._made = construction
        self._training = training
        self._bn_axis = bn_axis
        self._update_ops = update_ops
        self._batch_norm = batch_norm
        self._path: tuple[str, ...] = ()

    @contextmanager
    def group(self, name: str) -> Iterator[None]:
        """Group the layers that are called in the body under `name`. Makes no ops."""
        before = self._path
        self._path = (*before, name)
        yield
        self._path = before

    def conv2d(
        self,
        x: Tensor,
        filters: int,
        kernel_size: int,
        *,
        strides: int,
        name: str,
        kernel_initializer: Initializer = glorot_uniform,
    ) -> Tensor:
        """Convolution with SAME padding, and a bias: Conv2D and BiasAdd."""
        shape = (kernel_size, kernel_size, x.shape[-1], filters)
        with self._layer(name, "Conv2D", x) as call, tf.name_scope(name):
            kernel = self._weights(f"{name}/kernel", shape, kernel_initializer)
            bias = self._constant(f"{name}/bias", filters, 0.0)
            y = tf.nn.conv2d(x, kernel, strides=strides, padding="SAME", name="Conv2D")
            call.output = tf.nn.bias_add(y, bias, name="BiasAdd")
        return call.output

    def batch_normalization(self, x: Tensor, *, name: str) -> Tensor:
        """Fused batch normalization over the configured axis, with its update ops.

        Returns `x` unchanged if the network is configured without batch normalization.
        """
        if not self._batch_norm:
            return x
        axis = self._bn_axis % 4
        size = x.shape[axis]
        with self._layer(name, "FusedBatchNormV3", x) as call, tf.name_scope(name):
            gamma = self._constant(f"{name}/gamma", size, 1.0)
            beta = self._constant(f"{name}/beta", size, 0.0)
            mean = self._constant(f"{name}/moving_mean", size, 0.0, trainable=False)
            variance = self._constant(f"{name}/moving_variance", size, 1.0, trainable=False)
            moving: dict[str, Any] = {} if self._training else {"mean": mean, "variance": variance}
            call.output, *batch = tf.compat.v1.nn.fused_batch_norm(
                x,
                gamma,
                beta,
                epsilon=BN_EPSILON,
                data_format="NCHW" if axis == 1 else "NHWC",
                is_training=self._training,
                name="FusedBatchNormV3",
                **moving,
            )
            if self._training and self._update_ops:
                with self._made.phase(Phase.OPTIMIZER):
                    for average, value in zip((mean, variance), batch, strict=True):
                        self._made.update_ops.append(_move_towards(average, value))
        return call.output

    def dense(self, x: Tensor, units: int, *, name: str) -> Tensor:
        """Fully connected: x [batch, features] → [batch, units], MatMul and BiasAdd."""
        with self._layer(name, "MatMul", x) as call, tf.name_scope(name):
            kernel = self._weights(f"{name}/kernel", (x.shape[-1], units), glorot_uniform)
            bias = self._constant(f"{name}/bias", units, 0.0)
            call.output = tf.nn.bias_add(tf.matmul(x, kernel, name="MatMul"), bias, name="BiasAdd")
        return call.output

    def relu(self, x: Tensor, *, name: str) -> Tensor:
        """max(x, 0)."""
        with self._layer(name, "Relu", x) as call:
            call.output = tf.nn.relu(x, name=name)
        return call.output

    def add(self, shortcut: Tensor, x: Tensor, *, name: str) -> Tensor:
        """The residual addition: AddV2."""
        with self._layer(name, "AddV2", shortcut, x) as call:
            call.output = self._made.attempt(lambda: tf.add(shortcut, x, name=name), name, x)
        return call.output

    def reduce_mean(self, x: Tensor, axes: tuple[int, ...], *, name: str) -> Tensor:
        """Mean over `axes`, kept with size 1, followed by an Identity named `name`."""
        with self._layer(name, "Mean", x) as call:
            call.output = tf.identity(tf.reduce_mean(x, axes, keepdims=True), name)
        return call.output

    def reshape(self, x: Tensor, shape: list[int], *, name: str) -> Tensor:
        """Reshape to `shape`; one of its sizes may be -1."""
        with self._layer(name, "Reshape", x) as call:
            call.output = tf.reshape(x, shape, name=name)
        return call.output

    def _layer(self, name: str, kind: str, *inputs: Tensor) -> Any:
        return self._made.layer(name, kind, self._path, *inputs)

    def _weights(self, name: str, shape: tuple[int, ...], initializer: Initializer) -> tf.Variable:
        seed = self._made.seed_of(name)
        return self._made.variable(name, lambda: initializer(shape, seed))

    def _constant(
        self, name: str, size: int, value: float, *, trainable: bool = True
    ) -> tf.Variable:
        return self._made.variable(name, lambda: tf.fill([size], value), trainable=trainable)


def _move_towards(average: tf.Variable, value: Tensor) -> Any:
    """average ← average - (1 - momentum)(average - value), in the scope of TensorFlow 1."""
    with tf.name_scope("AssignMovingAvg"):
        return average.assign_sub((average - value) * (1.0 - BN_MOMENTUM), read_value=False)
