"""Turns lists and arrays of objects into arrays of numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import arrays, idioms, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield arrays in place of lists, of objects, and of arrays with another number of axes."""
    if problem.rule in ("data-type", "object-array"):
        for name in ("x", "y"):
            yield from _array(case, problem, name)
    if problem.rule == "array-concat":
        yield from _equal_ranks(case, problem)


def _array(case: Case, problem: Problem, name: str) -> Iterator[Repair]:
    data = places.data(case, name)
    if data is None or data.value is None:
        return
    numpy = idioms.numpy(data.file) or "np"
    text = raw(data.file, data.node)
    listed = data.value.type in ("list", "tuple")
    if problem.rule == "data-type" and listed:
        yield _wrapped(case, data, f"{numpy}.array({text})", 0.9)
    if problem.rule == "object-array" and (listed or data.value.dtype == "object"):
        rows = any(layer.type == "Embedding" for layer in case.crash.layers)
        yield _wrapped(case, data, f"{numpy}.stack({text})", 1.0)
        yield _wrapped(case, data, f'{numpy}.asarray({text}).astype("float32")', 0.9)
        spelled, imports = idioms.utility(data.file, "pad_sequences")
        padded = _wrapped(case, data, f"{spelled}({text})", 0.8 if rows else 1.1)
        yield msgspec.structs.replace(padded, edits=(*imports, *padded.edits))


def _wrapped(case: Case, data: places.Datum, new: str, cost: float) -> Repair:
    title = f"{ast.unparse(data.node)} → {new}"
    return repair(case, "as-array", title, [replace(data.file, data.node, new)], cost)


def _equal_ranks(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield one axis more for the array that has fewer."""
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call) or not failing.node.args:
        return
    first = failing.node.args[0]
    nodes = first.elts if isinstance(first, ast.Tuple | ast.List) else []
    values = [places.value_of(case, failing.frame, node) for node in nodes]
    shapes = [value.shape if value is not None else None for value in values]
    known = [shape for shape in shapes if shape is not None]
    rank = max((len(shape) for shape in known), default=0)
    longest = next((shape for shape in known if len(shape) == rank), ())
    for node, value, shape in zip(nodes, values, shapes, strict=True):
        if shape is None or len(shape) != rank - 1:
            continue
        array = Array(failing.file, node, value)
        for axis in (rank - 1, *range(rank - 1)):
            rest = longest[:axis] + longest[axis + 1 :]
            if rest[1:] == shape[1:] and (longest[axis] == 1 or axis == 0):
                new = arrays.expanded(array, -1 if axis == rank - 1 else axis)
                title = f"{raw(array.file, node)} → {new}"
                yield repair(case, "new-axis", title, [arrays.edit(array, new)], 0.9)
                break
