"""A Reshape makes other rows than examples: batch 16 becomes 64.

Compares the elements of a row before and after each Reshape of a tensor with the batch as axis 0.
Threshold: a row has fewer elements than an example and begins inside of its inner axes, as 72
elements of maps (6, 6, 8). Or a Reshape of several axes to rows makes each row an equal part of an
example, or several examples. Or maps keep their height and width, and channels become rows. Error.
Background: a Reshape to [-1, size] with a size of another network; the -1 absorbs the factor.
Not reported: if rows are whole positions, as in [-1, channels]. If a later op restores the batch,
as around a layer that is applied to each step. If labels or other data have the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.expressions import replaced_size
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.rows import RowChange, Rows, batch_first, rows
from resnet_inspect.commands import Command
from resnet_inspect.graph import Op, Phase, TensorRef

OF_SHAPES = ("Shape", "Size", "Rank", "ZerosLike", "OnesLike")
MOST_OPS = 20_000  # larger graphs are not followed


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per line of the user's code."""
    if evidence.failure is not None or len(evidence.graph.ops) > MOST_OPS:
        return
    tensors = batch_first(evidence.graph)
    lines: set[str] = set()
    for op in evidence.graph.ops:
        if op.type != "Reshape" or op.phase not in (Phase.FORWARD, Phase.OTHER) or not op.source:
            continue
        changed = rows(evidence.graph, op) if op.inputs[0] in tensors else None
        line = str(op.source[0])
        if changed is None or line in lines or not _suspicious(evidence, op, changed):
            continue
        if not _restored(evidence, op, tensors):
            lines.add(line)
            yield _finding(evidence, op, changed)


def _suspicious(evidence: Evidence, op: Op, changed: Rows) -> bool:
    before = evidence.graph.spec(op.inputs[0]).shape or ()
    after = op.outputs[0].shape or ()
    if changed.change is RowChange.PARTS:
        flat = len(after) == 2 < len(before)
        same_maps = len(after) == len(before) > 2 and before[1:-1] == after[1:-1]
        return flat or same_maps
    several = changed.change is RowChange.SEVERAL and not evidence.objectives  # else: batch-axis
    return changed.change is RowChange.ACROSS or (several and len(after) == 2 < len(before))


def _restored(evidence: Evidence, op: Op, tensors: frozenset[TensorRef]) -> bool:
    """Whether a later op has one row per example again, or data with the same rows."""
    graph, count = evidence.graph, op.outputs[0].shape[0] if op.outputs[0].shape else None
    batch = (graph.spec(op.inputs[0]).shape or (None,))[0]
    later = _later(evidence, op)
    for name in later - {op.name}:
        user = graph.op_by_name[name]
        after = user.outputs[0].shape if user.outputs else None
        if after and batch is not None and after[0] == batch:
            return True
        again = rows(graph, user)
        if again is not None and again.change is RowChange.SEVERAL:
            return True
        for ref in user.inputs:
            if ref.op in later or ref.op not in graph.op_by_name or ref in tensors:
                continue
            size = (graph.spec(ref).shape or (1,))[0]
            if None is not size == count != 1 and _of_data(evidence, ref):
                return True
    return False


def _later(evidence: Evidence, op: Op) -> set[str]:
    """Return the ops of the forward pass and the loss that depend on an op, including it."""
    reached, waiting = {op.name}, [op]
    while waiting:
        user = waiting.pop()
        for index in range(len(user.outputs) or 1):
            for name in evidence.graph.consumers.get(TensorRef(user.name, index), ()):
                other = evidence.graph.op_by_name[name]
                known = other.phase in (Phase.FORWARD, Phase.OTHER) and other.type not in OF_SHAPES
                if name not in reached and known:
                    reached.add(name)
                    waiting.append(other)
    return reached


def _of_data(evidence: Evidence, ref: TensorRef) -> bool:
    """Whether a tensor has values of the batch."""
    reached = evidence.upstream([ref.op], lambda op: op.type in OF_SHAPES)
    return not reached.isdisjoint(evidence.input_ops)


def _finding(evidence: Evidence, op: Op, changed: Rows) -> Finding:
    before = evidence.graph.spec(op.inputs[0]).shape or ()
    sizes = tuple(size or 0 for size in before[1:])
    layer = evidence.graph.layer_of_op.get(op.name)
    name = layer.name if layer is not None else op.name
    line, text = str(op.source[0]), op.source[0].text
    batch, count = before[0], op.outputs[0].shape[0] if op.outputs[0].shape else None
    effect = f"turns batch {batch} into {count}" if batch is not None else _effect(changed)
    change = replaced_size(text, changed.after, sizes)
    target = ", ".join(map(str, (-1, *sizes)))
    fix = f"change `{change[0]}` to `{change[1]}`" if change else f"use the target [{target}]"
    if change is None and len(op.outputs[0].shape or ()) == 2:
        fix = f"use the target [-1, {changed.before}]"
    return Finding(
        Severity.ERROR,
        f"{name} {effect}: an example has {' × '.join(map(str, sizes))} = {changed.before:,}"
        f" elements, a row {changed.after:,}",
        {"op": op.name, "source": line},
        "the layers behind the Reshape take each row for an example",
        f"{fix}, {line}",
        place=evidence.place(name),
        command=Command("why", (name,)),
    )


def _effect(changed: Rows) -> str:
    """Return what a Reshape does to a batch of unknown size."""
    if changed.before % changed.after == 0:
        return f"turns each example into {changed.before // changed.after} rows"
    return "makes rows that are no whole examples"
