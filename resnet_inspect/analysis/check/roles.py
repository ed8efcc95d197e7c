"""What a tensor is in a training: a part of the batch, or computed with trained variables."""

from __future__ import annotations

from resnet_inspect.analysis.check.evidence import PASS_THROUGH_OPS, Evidence
from resnet_inspect.graph import Op, TensorRef

# Ops that use only the shape of their input, and ops that fill a shape with values.
OF_SHAPES = ("Shape", "Size", "Rank", "Range")
FILLING = ("Fill", "OnesLike", "ZerosLike", "RandomUniform", "RandomStandardNormal")


def depends_on_batch(evidence: Evidence, ref: TensorRef) -> bool:
    """Return whether the values of a tensor depend on data, or fill a shape."""
    known = evidence.graph.op_by_name
    reached = evidence.upstream([ref.op], lambda op: op.type in OF_SHAPES)
    return any(known[name].type in FILLING or _is_data(known[name]) for name in reached)


def is_part_of_batch(evidence: Evidence, ref: TensorRef) -> bool:
    """Return whether a tensor has the unchanged values of data, such as labels."""
    known = evidence.graph.op_by_name
    op = known[ref.op]
    while op.type in (*PASS_THROUGH_OPS, "StridedSlice") and op.inputs[0].op in known:
        op = known[op.inputs[0].op]
    return _is_data(op)


def is_trained(evidence: Evidence, ref: TensorRef) -> bool:
    """Return whether trainable variables lead to a tensor."""
    readers = {
        name
        for variable in evidence.graph.variables
        if variable.trainable
        for name in variable.readers
    }
    return not readers.isdisjoint(evidence.upstream([ref.op]))


def _is_data(op: Op) -> bool:
    """Whether an op yields data: a placeholder, but not the handle of a variable."""
    given = op.type.startswith(("Placeholder", "IteratorGetNext"))
    return given and all(output.dtype != "resource" for output in op.outputs)
