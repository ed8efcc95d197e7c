"""Finds a witness: a small tensor of the step that shows whether a large tensor is finite.

A sum over a tensor is infinite or NaN if any element is. The gradient of a bias is such a sum, and
so are the batch variance and the gradient of the offset in batch normalization. Reading them costs
nothing; an extra pass over all layer outputs costs 2 to 4 % of a step.
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
# The magnitude of a normalized value is at most √(elements per channel), far below this.
LARGEST_NORMALIZED = 1e6


def witness(x: Tensor) -> Tensor | None:
    """A small tensor of the graph that is not finite if `x` is not; None if there is none.

    The witness of a finite `x` may be infinite: 1e30 overflows a variance.
    """
    source = x
    for _ in range(DEPTH):
        small = _computed_from(source, DEPTH)
        if small is not None:
            return small
        op = source.op
        # A bound in float32 is no bound for float16, whose largest value is 65504.
        wide = source.dtype.size >= 4
        if wide and _normalizes(op) and op.outputs[0] is source:
            _, scale, offset = op.inputs[:3]
            # This sum bounds the output. add_n is not used: its temporary variable would clash if
            # the same graph occurs twice in another graph.
            return scale * tf.constant(LARGEST_NORMALIZED, scale.dtype) + offset + op.outputs[2]
        if op.type not in KEEPS_FINITE or not op.inputs:
            return None
        source = op.inputs[0]
    return None


def _computed_from(x: Tensor, depth: int) -> Tensor | None:
    """A witness among the tensors that are computed from `x`."""
    for op in x.consumers():
        if op.type == "BiasAddGrad":
            return op.outputs[0]
        # The batch variance, or the gradient of the offset.
        if op.inputs[0] is x and (_normalizes(op) or op.type == "FusedBatchNormGradV3"):
            return op.outputs[2]
    for op in x.consumers() if depth else ():
        if op.type in SHOWS:
            small = _computed_from(op.outputs[0], depth - 1)
            if small is not None:
                return small
    return None


def _normalizes(op: Any) -> bool:
    return op.type == "FusedBatchNormV3" and bool(op.get_attr("is_training"))
