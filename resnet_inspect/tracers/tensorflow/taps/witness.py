"""Finds small tensors that a step computes anyway and that show whether a large one is finite.

A sum over a tensor is infinite or NaN if any element is. The gradient of a bias is such a sum, and
so are the batch's variance and the gradient of the offset in batch normalization: looking at them
costs nothing, where a pass of our own over all layer outputs costs 2 to 4 % of a step.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any

# Ops whose output is finite wherever their first input is.
KEEPS_FINITE = frozenset(
    ("Identity", "Relu", "Relu6", "ReluGrad", "Reshape", "Transpose", "Squeeze", "ExpandDims")
)
# Ops whose output shows what is not finite in any of their inputs, as infinity or NaN.
SHOWS = frozenset(("AddV2", "Add", "AddN", "Sub", "Neg", "Identity", "Reshape", "BiasAdd"))
DEPTH = 4
# A normalized number is at most √(elements per channel) in size, which is far below this.
LARGEST_NORMALIZED = 1e6


def witness(x: Tensor) -> Tensor | None:
    """A small tensor of the graph so far that is not finite if `x` is not; None if none is found.

    It may be not finite although `x` is: 1e30 overflows a variance.
    """
    source = x
    for _ in range(DEPTH):
        found = _seen(source, DEPTH)
        if found is not None:
            return found
        op = source.op
        # A bound of float32 says nothing of numbers that end at 65504.
        wide = source.dtype.size >= 4
        if wide and _normalizes(op) and op.outputs[0] is source:
            _, scale, offset = op.inputs[:3]
            # The sum of these bounds the output. Not add_n: its temporary variable clashes when
            # the same graph is run twice in one.
            return scale * tf.constant(LARGEST_NORMALIZED, scale.dtype) + offset + op.outputs[2]
        if op.type not in KEEPS_FINITE or not op.inputs:
            return None
        source = op.inputs[0]
    return None


def _seen(x: Tensor, depth: int) -> Tensor | None:
    """A witness among what is computed from `x`."""
    for op in x.consumers():
        if op.type == "BiasAddGrad":
            return op.outputs[0]
        # The batch's variance, and the gradient of the offset.
        if op.inputs[0] is x and (_normalizes(op) or op.type == "FusedBatchNormGradV3"):
            return op.outputs[2]
    for op in x.consumers() if depth else ():
        if op.type in SHOWS:
            found = _seen(op.outputs[0], depth - 1)
            if found is not None:
                return found
    return None


def _normalizes(op: Any) -> bool:
    return op.type == "FusedBatchNormV3" and bool(op.get_attr("is_training"))
