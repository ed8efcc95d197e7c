"""Cuts inputs and labels to the same number of examples."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield a slice of the longer array, and the whole of an array that is a slice."""
    if problem.rule != "examples" or len(sides) != 2:
        return
    data = [places.datum(case, sized.side.operand) for sized in sides]
    if data[0] is None or data[1] is None:
        return
    (first, second), (a, b) = data, (sized.side.size for sized in sides)
    if first is None or second is None:
        return
    yield from _same_slice(case, first, second, a, b, 1.0)
    yield from _same_slice(case, second, first, b, a, 0.9)
    yield from _turned(case, first, b)
    yield from _turned(case, second, a)
    long, short = (first, second) if a > b else (second, first)
    new = f"{primary(long.file, long.node)}[:len({raw(short.file, short.node)})]"
    title = f"{raw(long.file, long.node)} → {new}"
    reason = f"there are {min(a, b)} and {max(a, b)} examples"
    yield repair(case, "same-examples", title, [replace(long.file, long.node, new)], 4.0, reason)


def _turned(case: Case, data: places.Datum, examples: int) -> Iterator[Repair]:
    """Yield the transposed matrix whose columns are the examples."""
    shape = _shape(data)
    if len(shape) == 2 and shape[1] == examples:
        new = f"{primary(data.file, data.node)}.T"
        title = f"{raw(data.file, data.node)} → {new}"
        reason = f"axis 1 has {examples} examples"
        edits = [replace(data.file, data.node, new)]
        yield repair(case, "transpose", title, edits, 0.8, reason)


def _shape(data: places.Datum) -> tuple[int | None, ...]:
    return (data.value.shape if data.value is not None else None) or ()


def _same_slice(
    case: Case, datum: places.Datum, other: places.Datum, size: int, wanted: int, cost: float
) -> Iterator[Repair]:
    """Yield a name that resembles the other name, such as `y_train` beside `x_train`."""
    if not isinstance(datum.node, ast.Name) or not isinstance(other.node, ast.Name):
        return
    ending = other.node.id.partition("_")[2]
    if not ending or datum.node.id.endswith(ending) or size == wanted:
        return
    stem = datum.node.id.partition("_")[0]
    for name in (f"{stem}_{ending}",):
        value = case.crash.frames[datum.frame].values.get(name)
        known = name in {n.id for n in ast.walk(datum.file.tree) if isinstance(n, ast.Name)}
        if known and (value is None or value.shape is None or value.shape[0] == wanted):
            title = f"{datum.node.id} → {name}"
            reason = f"the other argument is {other.node.id}"
            edits = [replace(datum.file, datum.node, name)]
            yield repair(case, "same-examples", title, edits, cost, reason)
