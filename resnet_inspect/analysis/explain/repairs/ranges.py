"""Makes room for the largest id or label: rows of an Embedding, classes of the last layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace
from resnet_inspect.analysis.explain.sources import argument, evaluated

ARGUMENTS = {"Embedding": ("input_dim", 0), "Dense": ("units", 0)}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield one row or class more than the largest id."""
    if problem.rule == "class-range":
        yield from _classes(case, problem)
    if problem.rule not in ("id-range", "label-range"):
        return
    index, size = problem.facts.get("index"), problem.facts.get("size")
    if not isinstance(index, int) or not isinstance(size, int):
        return
    index = max(index, _largest(case, problem))
    made = places.creation(case, problem.layer)
    need = index + 1
    if made is not None and index >= size:
        name, at = ARGUMENTS.get(ast.unparse(made.call.func).rpartition(".")[2], ("", 0))
        node = argument(made.call, name, at) if name else None
        if node is not None:
            literal = isinstance(node, ast.Constant)
            new = str(need) if literal or need != size + 1 else f"{raw(made.file, node)} + 1"
            cost = 1.0 if problem.rule == "id-range" else 1.1
            reason = f"the largest id is {index}"
            title = changed(made.file, node, new)
            yield repair(case, "more-rows", title, [replace(made.file, node, new)], cost, reason)
            if not literal and need != size + 1:
                new = f"{raw(made.file, node)} + {need - size}"
                title = changed(made.file, node, new)
                yield repair(case, "more-rows", title, [replace(made.file, node, new)], 1.5, reason)
    elif made is None and len(sides) == 2 and index >= size:
        origin = sides[1].origin
        if origin.node is not None and evaluated(origin.node, origin.values) == size:
            file = case.sources[origin.file]
            title = changed(file, origin.node, str(need))
            reason = f"the largest id is {index}"
            edits = [replace(file, origin.node, str(need))]
            yield repair(case, "more-rows", title, edits, 1.0, reason)
    if problem.rule == "label-range":
        yield from _from_zero(case, problem, index, size)


def _classes(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield one more class for `to_categorical` or `eye`, and labels that begin at 0."""
    failing = places.failing_call(case, problem)
    index, size = problem.facts.get("index"), problem.facts.get("size")
    if failing is None or not isinstance(index, int) or not isinstance(size, int):
        return
    statement = failing.file.enclosing_statement(failing.node)
    for call in ast.walk(statement or failing.node):
        name = ast.unparse(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""
        if not isinstance(call, ast.Call) or name not in ("to_categorical", "eye", "identity"):
            continue
        labels = call.args[0] if name == "to_categorical" and call.args else None
        node = argument(call, "num_classes", 1) if labels is not None else argument(call, "N", 0)
        value = places.value_of(case, failing.frame, labels) if labels is not None else None
        most = max(index, value.high or 0) if value is not None else index
        if labels is not None and value is not None and value.low == 1 and most == size:
            new = f"{primary(failing.file, labels)} - 1"
            title = f"{raw(failing.file, labels)} → {new}"
            edits = [replace(failing.file, labels, new)]
            reason = "the labels begin at 1, class numbers begin at 0"
            yield repair(case, "labels-from-zero", title, edits, 0.9, reason)
        if node is not None:
            title = changed(failing.file, node, str(most + 1))
            edits = [replace(failing.file, node, str(most + 1))]
            yield repair(case, "more-rows", title, edits, 1.0, f"the largest label is {most}")
        return


def _largest(case: Case, problem: Problem) -> int:
    """Return the largest id in the data, if it is known."""
    data = places.datum(case, problem.operands[0]) if problem.operands else None
    high = data.value.high if data is not None and data.value is not None else None
    return high if high is not None else -1


def _from_zero(case: Case, problem: Problem, index: int, size: int) -> Iterator[Repair]:
    """Yield labels that begin at 0, if theirs begin at 1."""
    data = places.data(case, "y")
    if data is None or data.value is None or data.value.low != 1 or index != size:
        return
    array = arrays.Array(data.file, data.node, data.value)
    new = f"{array.text} - 1"
    title = f"{ast.unparse(data.node)} → {new}"
    reason = "the labels begin at 1, class numbers begin at 0"
    yield repair(case, "labels-from-zero", title, [arrays.edit(array, new)], 1.0, reason)
