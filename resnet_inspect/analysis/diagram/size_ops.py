"""Finds the ops that only compute sizes or seeds, such as those between a Shape and a Reshape."""

from __future__ import annotations

from resnet_inspect.graph import Graph, Op, TensorRef

# Ops whose result is a size, and ops that compute with sizes.
SIZES = ("Shape", "ShapeN", "Size", "Rank")
ARITHMETIC = (
    "AddV2", "BroadcastArgs", "Cast", "ConcatV2", "ExpandDims", "FloorDiv", "FloorMod",
    "GatherV2", "Identity", "InvertPermutation", "Maximum", "Minimum", "Mul", "Neg", "Pack", "Prod",
    "Range", "Reshape", "Slice", "Squeeze", "StridedSlice", "Sub", "Unpack",
)  # fmt: skip
# Inputs that are sizes, positions or axes, by type of op. Negative positions count from the end.
ARGUMENTS: dict[str, tuple[int, ...]] = {
    "BroadcastTo": (1,), "ConcatV2": (-1,), "Conv2DBackpropInput": (0,), "Empty": (0,),
    "ExpandDims": (1,), "Fill": (0,), "GatherV2": (2,), "LinSpace": (2,), "Max": (1,),
    "Mean": (1,), "Min": (1,), "MirrorPad": (1,), "OneHot": (1,), "Pad": (1,), "PadV2": (1,),
    "Prod": (1,), "RandomStandardNormal": (0,), "RandomUniform": (0,), "RandomUniformInt": (0,),
    "Range": (0, 1, 2), "Reshape": (1,), "ResizeArea": (1,), "ResizeBicubic": (1,),
    "ResizeBilinear": (1,), "ResizeNearestNeighbor": (1,), "ScatterNd": (2,), "Slice": (1, 2),
    "StatelessRandomGetKeyCounter": (0,), "StatelessRandomNormalV2": (0,),
    "StatelessRandomUniformV2": (0,), "StatelessRandomUniformIntV2": (0,),
    "StatelessTruncatedNormalV2": (0,),
    "StridedSlice": (1, 2, 3), "Sum": (1,), "TensorListFromTensor": (1,),
    "TensorListReserve": (0, 1), "TensorListStack": (1,), "Tile": (1,), "TopKV2": (1,),
    "Transpose": (1,), "TruncatedNormal": (0,), "UnsortedSegmentSum": (2,),
}  # fmt: skip
WHOLE = ("int32", "int64")


def size_ops(graph: Graph) -> frozenset[str]:
    """Return the ops that compute whole numbers that are not data from sizes and counters.

    Other ops read their values only as sizes, positions, axes or seeds, or not at all.
    """
    sizes: set[str] = set()
    for op in graph.ops:
        if (
            op.type in SIZES
            or _is_counter(op)
            or (op.type in ARITHMETIC and _of_sizes(graph, op, sizes))
        ):
            sizes.add(op.name)
    for op in reversed(graph.ops):
        if op.name in sizes and not _only_argument(graph, op, sizes):
            sizes.discard(op.name)
    return frozenset(sizes)


def _is_counter(op: Op) -> bool:
    """Whether an op reads a variable of whole numbers, such as the state of a random generator."""
    return op.type == "ReadVariableOp" and all(spec.dtype in WHOLE for spec in op.outputs)


def _of_sizes(graph: Graph, op: Op, sizes: set[str]) -> bool:
    """Whether an op computes whole numbers from sizes, counters and constants only."""
    return all(spec.dtype in WHOLE for spec in op.outputs) and all(
        ref.op in sizes or graph.op_by_name[ref.op].type == "Const" for ref in op.inputs
    )


def _only_argument(graph: Graph, op: Op, sizes: set[str]) -> bool:
    refs = [TensorRef(op.name, index) for index in range(len(op.outputs))]
    users = [(ref, graph.op_by_name[user]) for ref in refs for user in graph.consumers.get(ref, ())]
    return all(user.name in sizes or ref not in _data_inputs(user) for ref, user in users)


def _data_inputs(op: Op) -> list[TensorRef]:
    given = {at % len(op.inputs) for at in ARGUMENTS.get(op.type, ()) if at < len(op.inputs)}
    return [ref for at, ref in enumerate(op.inputs) if at not in given]
