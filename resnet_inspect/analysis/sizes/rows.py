"""What a Reshape does to the rows of a tensor, and which tensors have the batch as axis 0.

Everything is computed from shapes alone, so that it works without the origins of sizes.
"""

from __future__ import annotations

from enum import StrEnum
from math import prod

import msgspec

from resnet_inspect.graph import Graph, Op, Phase, TensorRef
from resnet_inspect.graph.tensors import Shape

# Ops whose axis 0 is another one than that of their inputs, even if both have the same size.
OTHER_ROWS = frozenset(
    ("Transpose", "GatherV2", "GatherNd", "ResourceGather", "Shape", "Size", "Rank", "Range")
) | frozenset(("Pack", "ConcatV2", "Const", "Split", "SplitV", "Unpack", "ReverseV2"))
PRODUCTS = ("MatMul", "BatchMatMulV2", "BatchMatMul", "BatchMatMulV3", "Einsum")


class RowChange(StrEnum):
    """What the rows of a reshaped tensor are.

    - SAME: rows have as many elements as before.
    - POSITIONS: each row is one position, or a whole number of inner axes.
    - PARTS: each row is an equal part of an axis, with all inner axes.
    - ACROSS: rows begin in the middle of inner axes.
    - SEVERAL: each row has elements of several former rows.
    """

    SAME = "same"
    POSITIONS = "positions"
    PARTS = "parts"
    ACROSS = "across"
    SEVERAL = "several"


class Rows(msgspec.Struct, frozen=True):
    """The rows of a Reshape: elements of a row before and after."""

    change: RowChange
    before: int
    after: int


def rows(graph: Graph, op: Op) -> Rows | None:
    """Return the rows of a Reshape; None for other ops and for unknown sizes."""
    if op.type != "Reshape" or not op.outputs or op.inputs[0].op not in graph.op_by_name:
        return None
    before, after = graph.spec(op.inputs[0]).shape, op.outputs[0].shape
    if not before or not after or None in before[1:] or None in after[1:]:
        return None
    old, new = (prod(size or 0 for size in shape[1:]) for shape in (before, after))
    return Rows(_change(before, old, new), old, new) if old and new else None


def _change(before: Shape, old: int, new: int) -> RowChange:
    if new == old:
        return RowChange.SAME
    if new > old:
        return RowChange.SEVERAL
    inner = [
        prod(size or 0 for size in (before or ())[axis:]) for axis in range(1, len(before or ()))
    ]
    inner.append(1)
    if new in inner:
        return RowChange.POSITIONS
    least = max(count for count in inner if count < new)
    most = min(count for count in inner if count > new)
    even = new % least == 0 and most % new == 0
    return RowChange.PARTS if even else RowChange.ACROSS


def batch_first(graph: Graph) -> frozenset[TensorRef]:
    """Return the tensors whose axis 0 is the batch, as far as shapes show it."""
    tensors = {
        ref
        for name, ref in graph.inputs.items()
        if graph.axes.get(name, ())[:1] == ("batch",) and ref.op in graph.op_by_name
    }
    sizes = {(graph.spec(ref).shape or (None,))[0] for ref in tensors}
    if not tensors or len(sizes) > 1:
        return frozenset(tensors)
    batch = next(iter(sizes))
    for op in graph.ops:
        if op.phase not in (Phase.FORWARD, Phase.OTHER) or op.type in OTHER_ROWS:
            continue
        read = op.inputs[:1] if op.type in PRODUCTS else op.inputs
        if not any(ref in tensors for ref in read) or op.attrs.get("transpose_a"):
            continue
        kept = rows(graph, op)
        if op.type == "Reshape" and (kept is None or kept.change is not RowChange.SAME):
            continue
        for index, output in enumerate(op.outputs):
            if output.shape and output.shape[0] == batch:
                tensors.add(TensorRef(op.name, index))
    return frozenset(tensors)
