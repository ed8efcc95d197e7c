"""Gives a dataset its batch axis, full batches, or smaller ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Kind, Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import INPUTS, Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import add_argument, raw, replace, wrap
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import Value, ValueKind

RANKS = (*INPUTS, "loss-rank", "loss-shape", "sparse-labels")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `batch`, `drop_remainder=True` or a smaller batch."""
    if problem.rule in RANKS:
        yield from _missing(case, problem)
    if sides and all(sized.side.axis == 0 for sized in sides) and len(sides) == 2:
        yield from _full(case)
    if problem.kind is Kind.MEMORY:
        yield from _smaller(case)


def _missing(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield `dataset.batch(n)` for a dataset of single examples."""
    for name in ("x", "validation_data"):
        data = places.data(case, name)
        if data is None or data.value is None or data.value.kind is not ValueKind.DATASET:
            continue
        if _batched(data.value) or any(
            isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".batch")
            for call in ast.walk(places.resolved(data.file, data.node))
        ):
            continue
        size = idioms.batch_size(data.file, data.node.lineno)
        new = f".batch({size})"
        text = ast.unparse(data.node)
        short = text if len(text) < 30 else "…"
        reason = "the dataset yields single examples, without a batch axis"
        edits = wrap(data.file, data.node, "", new)
        yield repair(case, "batch-dataset", f"{short} → {short}{new}", edits, 0.7, reason)


def _batched(value: Value) -> bool:
    """Return whether the elements of a dataset have an unknown first axis."""
    if value.shape is not None:
        return len(value.shape) > 0 and value.shape[0] is None
    return any(_batched(item) for item in value.items.values())


def _full(case: Case) -> Iterator[Repair]:
    """Yield datasets that drop the last batch if it is smaller."""
    for name in case.crash.files:
        file = case.sources[name]
        for call in file.calls:
            function = ast.unparse(call.func).rpartition(".")[2]
            batches = function in ("batch", "padded_batch") and isinstance(call.func, ast.Attribute)
            if batches and argument(call, "drop_remainder") is None:
                edit = add_argument(file, call, "drop_remainder=True")
                inner = raw(file, call.args[0]) if call.args else ""
                title = f"batch({inner}) → batch({inner}, drop_remainder=True)"
                reason = "the last batch is smaller"
                yield repair(case, "drop-remainder", title, [edit], 3.0, reason)


def _smaller(case: Case) -> Iterator[Repair]:
    """Yield a smaller batch for a training that runs out of memory."""
    matched = places.trainer_call(case)
    if matched is None:
        return
    _, file, call = matched
    node = argument(call, "batch_size", 2)
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value > 1:
        for size, cost in ((32, 1.0), (8, 1.5), (1, 2.0)):
            if size < node.value:
                title = f"batch_size={node.value} → batch_size={size}"
                yield repair(case, "smaller-batch", title, [replace(file, node, str(size))], cost)
