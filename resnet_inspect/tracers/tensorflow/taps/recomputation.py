"""Recomputes tensors of a step for its taps, so that the taps do not change the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

Tensor = Any
# Ops that TensorFlow merges with others or reorders.
REORDERED = frozenset(
    (
        *("Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "Neg", "Square", "SquaredDifference"),
        *("Cast", "Reshape", "Transpose", "Sum"),  # a sum over no axis is removed
    )
)
# Ops that TensorFlow may fuse with their consumers into one kernel: a convolution with its bias and
# activation, a GELU, a Swish. A fused kernel rounds differently.
ELEMENTWISE = frozenset(
    (
        *("BiasAdd", "Squeeze", "Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh"),
        *("Erf", "Erfc", "Softplus", "Pow", "Rsqrt", "Maximum", "FusedBatchNorm"),
        *("FusedBatchNormV2", "FusedBatchNormV3"),
    )
)
CONTRACTIONS = frozenset(
    ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "BatchMatMulV3")
)
FORWARDS = frozenset(("Identity", "IdentityN", "StopGradient", "PreventGradient"))
# Ops that read only the shape of a tensor; TensorFlow removes them if the shape is known.
ONLY_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"))
UPDATES = ("Assign", "ResourceApply", "ResourceSparseApply", "ResourceScatter")
BACKWARD = frozenset(("gradient_tape", "gradients"))  # name scopes of TensorFlow's gradients


class Recomputation:
    """Recomputes tensors in the branch, from tensors that TensorFlow does not optimize away.

    TensorFlow computes a·b·c in another order if a·b has no other consumer. It fuses a convolution
    with its bias and activation if the tensors between them have no other consumer. A tap would be
    such a consumer and would change the last bits of the training. A tensor with several consumers
    that no fused kernel can contain exists with and without taps, and is read directly.
    """

    def __init__(self) -> None:
        self._graph = tf.compat.v1.get_default_graph()
        self._recomputed: dict[str, Tensor] = {}
        self._live: frozenset[str] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """`x`, or a recomputed tensor that is equal to it up to rounding."""
        op = x.op
        if op.graph is self._graph:
            return x
        if op.type in FORWARDS:
            return self(op.inputs[x.value_index])
        reordered = op.type in REORDERED and not _reduces(x)
        if not (reordered or _may_be_fused(x)) or self._exists(x):
            return x
        if x.name not in self._recomputed:
            attributes = dict(op.node_def.attr)
            inputs = [self(tensor) for tensor in op.inputs]
            dtypes = [tensor.dtype for tensor in op.outputs]
            copy = self._graph.create_op(op.type, inputs, dtypes, attrs=attributes)
            for recomputed, original in zip(copy.outputs, op.outputs, strict=True):
                recomputed.set_shape(original.shape)
                self._recomputed[original.name] = recomputed
        return self._recomputed[x.name]

    def _exists(self, x: Tensor) -> bool:
        """Whether a tensor exists with and without taps.

        At least two ops of different types read it, and updates need them. `x` or one of them is in
        the backward pass, so that no fused kernel contains all of them.
        """
        if self._live is None:
            self._live = _needed_for_updates(x.op.graph)
        consumers = [op for op in _consumers(x) if op.name in self._live]
        several = len({op.type for op in consumers}) > 1
        return several and any(map(_is_backward, (x.op, *consumers)))


def _needed_for_updates(graph: Any) -> frozenset[str]:
    """The names of all ops that an update of a variable depends on."""
    waiting = [op for op in graph.get_operations() if op.type.startswith(UPDATES)]
    needed = {op.name for op in waiting}
    while waiting:
        for tensor in waiting.pop().inputs:
            if tensor.op.name not in needed:
                needed.add(tensor.op.name)
                waiting.append(tensor.op)
    return frozenset(needed)


def _is_backward(op: Any) -> bool:
    return op.type == "AddN" or not BACKWARD.isdisjoint(op.name.split("/"))


def _reduces(x: Tensor) -> bool:
    """Whether a sum is over more than one element, so that TensorFlow keeps it."""
    if x.op.type != "Sum":
        return False
    before = x.op.inputs[0].shape.num_elements()
    after = x.shape.num_elements()
    return before is not None and after is not None and after < before


def _may_be_fused(x: Tensor) -> bool:
    """Whether TensorFlow may fuse the op of a tensor with all consumers of the tensor."""
    kind = x.op.type
    if kind == "Pad":
        into = CONTRACTIONS
    elif kind in CONTRACTIONS or kind in ELEMENTWISE:
        into = REORDERED | ELEMENTWISE
    else:
        return False
    consumers = {op.type for op in _consumers(x)}
    return bool(consumers) and consumers <= into


def _consumers(x: Tensor) -> Iterator[Any]:
    """The ops that use the values of a tensor, also through ops such as Identity."""
    for op in x.consumers():
        if op.type in FORWARDS:
            for tensor, forwarded in zip(op.inputs, op.outputs, strict=True):
                if tensor.name == x.name:
                    yield from _consumers(forwarded)
        elif op.type not in ONLY_SHAPES:
            yield op
