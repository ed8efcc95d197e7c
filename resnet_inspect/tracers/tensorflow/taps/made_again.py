"""Tensors of a step worked out again where they are looked at, so that looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

Tensor = Any
# Ops that TensorFlow puts together with others.
REORDERED = frozenset(
    (
        *("Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "Neg", "Square", "SquaredDifference"),
        *("Cast", "Reshape", "Transpose", "Sum"),  # some sums are over no axis, and vanish
    )
)
# Ops that TensorFlow may put into one kernel with those that take their output: a convolution with
# its bias and activation, a GELU, a Swish. A fused kernel rounds in another way than its parts.
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
HANDS_ON = frozenset(("Identity", "IdentityN", "StopGradient", "PreventGradient"))
# What TensorFlow need not ask a tensor for once shapes are known.
ONLY_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"))


class MadeAgain:
    """Tensors of the step, made again in the branch from what TensorFlow leaves as it is.

    TensorFlow multiplies a·b·c in another order if nobody else wants a·b, and does a convolution
    with its bias and activation at once if nobody else wants what is between. To want it would
    change the last bits of a training, so such tensors are wanted from nobody but worked out again.
    """

    def __init__(self) -> None:
        self._graph = tf.compat.v1.get_default_graph()
        self._known: dict[str, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """The same numbers as `x`, up to rounding."""
        op = x.op
        if op.graph is self._graph:
            return x
        if op.type in HANDS_ON:
            return self(op.inputs[x.value_index])
        if op.type not in REORDERED and not _may_vanish(x):
            return x
        if x.name not in self._known:
            attributes = dict(op.node_def.attr)
            inputs = [self(one) for one in op.inputs]
            kinds = [one.dtype for one in op.outputs]
            again = self._graph.create_op(op.type, inputs, kinds, attrs=attributes)
            for made, one in zip(again.outputs, op.outputs, strict=True):
                made.set_shape(one.shape)
                self._known[one.name] = made
        return self._known[x.name]


def _may_vanish(x: Tensor) -> bool:
    """Whether TensorFlow may fuse the op of a tensor with all that take the tensor."""
    kind = x.op.type
    if kind == "Pad":
        into = CONTRACTIONS
    elif kind in CONTRACTIONS or kind in ELEMENTWISE:
        into = REORDERED | ELEMENTWISE
    else:
        return False
    takers = {one.type for one in _takers(x)}
    return bool(takers) and takers <= into


def _takers(x: Tensor) -> Iterator[Any]:
    """The ops that take what is in a tensor."""
    for op in x.consumers():
        if op.type in HANDS_ON:
            for one, handed in zip(op.inputs, op.outputs, strict=True):
                if one.name == x.name:
                    yield from _takers(handed)
        elif op.type not in ONLY_SHAPES:
            yield op
