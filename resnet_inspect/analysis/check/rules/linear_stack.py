"""Several layers without anything that is not linear between them.

Source: a missing activation; several linear layers are one.
Threshold: two kernels or more one behind the other, and no op between input and output that is not
linear, but for the activation of the output itself. Dropout and batch normalization count as
linear, layer normalization, maxima, products and comparisons do not.
Silent: where an op is a function of its own that is not looked into, and for regression with two
kernels, which is a linear autoencoder.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import KERNEL_OPS, REGRESSION_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

LINEAR = KERNEL_OPS | frozenset(
    (
        *("Identity", "Reshape", "Squeeze", "ExpandDims", "StopGradient", "Cast", "Transpose"),
        *("BiasAdd", "Add", "AddV2", "AddN", "Sub", "Mean", "Sum", "AvgPool", "Pad", "PadV2"),
        *("ConcatV2", "Split", "SplitV", "Slice", "StridedSlice", "Pack", "Unpack", "GatherV2"),
        *("ReadVariableOp", "Const", "Placeholder", "Shape", "NoOp", "Neg", "Tile", "Fill"),
        *("ResourceGather", "ResizeNearestNeighbor", "ResizeBilinear", "ZerosLike", "Prod"),
        *("Assert", "BroadcastTo", "Range", "Rank", "GatherNd", "SpaceToBatchND"),
        "BatchToSpaceND",
    )
)
ENDS = ("Softmax", "Sigmoid", "LogSoftmax", "Tanh")


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    graph = seen.graph
    kernels = _longest(seen)
    if kernels < 2 or not graph.layers:
        return
    losses = {one.loss for one in seen.objectives}
    if kernels == 2 and losses and losses <= REGRESSION_LOSSES:
        return
    outputs = [one.output for one in seen.objectives if one.output is not None]
    ends = {op.name for ref in outputs if (op := seen.maker(ref)) is not None and op.type in ENDS}
    apart = {
        name for layer in graph.layers if layer.normalizes or "Dropout" in layer.type
        for name in layer.ops
    }  # fmt: skip
    in_layers = graph.layer_of_op
    for op in seen.forward:
        if op.type in KERNEL_OPS and len({ref for ref in op.inputs if ref.op in seen.fed}) > 1:
            return  # a product of two answers, as of two towers
        if op.type in LINEAR or op.name in ends or op.name in apart:
            continue
        if op.name not in in_layers and not op.inputs:
            continue
        return
    yield Finding(
        Severity.WARNING,
        f"{kernels} layers with weights follow each other with nothing between that is not linear",
        {"kernels": kernels},
        "together they can do no more than one of them",
        "an activation such as relu after every layer but the last",
        place=seen.place(graph.layers[0].name),
        command=Command("graph", options=("-o", "network.svg")),
    )


def _longest(seen: Evidence) -> int:
    """The most kernels on one way through the forward pass."""
    count: dict[str, int] = {}
    for op in seen.forward:  # inputs come before what takes them
        before = max((count.get(ref.op, 0) for ref in op.inputs), default=0)
        count[op.name] = before + (op.type in KERNEL_OPS)
    return max(count.values(), default=0)
