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
# Ops that read only the shape of a tensor, which TensorFlow removes where shapes are known.
ONLY_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"))
UPDATES = ("Assign", "ResourceApply", "ResourceSparseApply", "ResourceScatter")
BACKWARD = frozenset(("gradient_tape", "gradients"))  # name scopes of TensorFlow's own gradients


class MadeAgain:
    """Tensors of the step, made again in the branch from what TensorFlow leaves as it is.

    TensorFlow multiplies a·b·c in another order if nobody else wants a·b, and does a convolution
    with its bias and activation at once if nobody else wants what is between. To want it would
    change the last bits of a training, so such tensors are computed again. A tensor with several
    consumers, which no fusion contains all of, exists in any case and is read as it is.
    """

    def __init__(self) -> None:
        self._graph = tf.compat.v1.get_default_graph()
        self._known: dict[str, Tensor] = {}
        self._live: frozenset[str] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """The same numbers as `x`, up to rounding."""
        op = x.op
        if op.graph is self._graph:
            return x
        if op.type in HANDS_ON:
            return self(op.inputs[x.value_index])
        reordered = op.type in REORDERED and not _reduces(x)
        if not (reordered or _may_vanish(x)) or self._exists(x):
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

    def _exists(self, x: Tensor) -> bool:
        """Whether a tensor exists whether or not the taps read it: at least two ops of different
        types read it, both are needed for an update, and `x` or one of them is of the backward
        pass, so that no fused kernel contains all of them.
        """
        if self._live is None:
            self._live = _needed_for_updates(x.op.graph)
        takers = [taker for taker in _takers(x) if taker.name in self._live]
        several = len({taker.type for taker in takers}) > 1
        return several and any(map(_is_backward, (x.op, *takers)))


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
