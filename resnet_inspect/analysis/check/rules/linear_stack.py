"""Several layers follow each other without a nonlinearity.

Counts the kernels on the longest forward path and checks whether every forward op is linear.
Threshold: at least two kernels in sequence, and only linear ops between input and output, except
for the output's activation. Dropout and batch normalization count as linear; layer normalization,
maxima, products and comparisons do not. Warning.
Background: a missing activation; several linear layers compute one linear function.
Not reported: if an op calls a function whose ops are not recorded, and for regression with two
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
OUTPUT_OPS = ("Softmax", "Sigmoid", "LogSoftmax", "Tanh")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    graph = evidence.graph
    kernels = _longest(evidence)
    if kernels < 2 or not graph.layers:
        return
    losses = {objective.loss for objective in evidence.objectives}
    if kernels == 2 and losses and losses <= REGRESSION_LOSSES:
        return
    outputs = [
        objective.output for objective in evidence.objectives if objective.output is not None
    ]
    ends = {
        op.name
        for ref in outputs
        if (op := evidence.producer(ref)) is not None and op.type in OUTPUT_OPS
    }
    exempt = {
        name for layer in graph.layers if layer.normalizes or "Dropout" in layer.type
        for name in layer.ops
    }  # fmt: skip
    in_layers = graph.layer_of_op
    for op in evidence.forward_ops:
        if (
            op.type in KERNEL_OPS
            and len({ref for ref in op.inputs if ref.op in evidence.input_dependent_ops}) > 1
        ):
            return  # a product of two activations, as in two-tower models
        if op.type in LINEAR or op.name in ends or op.name in exempt:
            continue
        if op.name not in in_layers and not op.inputs:
            continue
        return
    yield Finding(
        Severity.WARNING,
        f"{kernels} layers with weights follow each other without a nonlinearity",
        {"kernels": kernels},
        "together they compute no more than one linear layer",
        "add an activation such as relu after every layer except the last",
        place=evidence.place(graph.layers[0].name),
        command=Command("graph", options=("-o", "network.svg")),
    )


def _longest(evidence: Evidence) -> int:
    """Return the largest number of kernels on one path through the forward pass."""
    count: dict[str, int] = {}
    for op in evidence.forward_ops:  # ops are sorted: inputs first
        before = max((count.get(ref.op, 0) for ref in op.inputs), default=0)
        count[op.name] = before + (op.type in KERNEL_OPS)
    return max(count.values(), default=0)
