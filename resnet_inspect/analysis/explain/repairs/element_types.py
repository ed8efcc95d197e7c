"""Casts one tensor to the type of the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Kind, Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile

WIDTH = {
    "bool": 0,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 3,
    "int64": 4,
    "float16": 5,
    "bfloat16": 5,
    "float32": 6,
    "float64": 7,
}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield casts in the failing call."""
    if problem.kind is not Kind.DTYPE or problem.rule != "types":
        return
    failing = places.failing_call(case, problem)
    if failing is None:
        return
    file = failing.file
    tensorflow = idioms.tensorflow(file)
    nodes = places.argument_nodes(failing)[:2]
    first, second = (str(problem.facts.get(name) or "") for name in ("first", "second"))
    if not tensorflow or not nodes:
        return
    if len(nodes) == 2:
        pairs = ((nodes[1], nodes[0], second, first), (nodes[0], nodes[1], first, second))
        for node, other, own, wanted in pairs:
            cost = 1.0 if WIDTH.get(wanted, 9) >= WIDTH.get(own, 0) else 1.2
            cost += 0.3 if _is_layer_input(case, failing, node) and own.startswith("float") else 0.0
            if own.startswith("float") and wanted.startswith(("int", "uint", "bool")):
                cost += 2.0
            yield from _cast(case, file, node, other, wanted, cost, tensorflow)
    elif first:
        yield from _cast(case, file, nodes[0], None, first, 1.0, tensorflow)


def _is_layer_input(case: Case, failing: places.FailingCall, node: ast.expr) -> bool:
    """Return whether an expression is a parameter of the function that fails."""
    frame = case.crash.frames[failing.frame] if failing.frame >= 0 else None
    return frame is not None and ast.unparse(node) in frame.parameters


def _cast(
    case: Case,
    file: SourceFile,
    node: ast.expr,
    other: ast.expr | None,
    wanted: str,
    cost: float,
    tensorflow: str,
) -> Iterator[Repair]:
    inner = raw(file, node)
    plain = isinstance(other, ast.Name | ast.Attribute)
    dtype = (
        f"{primary(file, other)}.dtype" if other is not None and plain else f"{tensorflow}.{wanted}"
    )
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(".cast")
        and len(node.args) > 1
    ):
        target = f"{tensorflow}.{wanted}"
        new = f"{raw(file, node.func)}({raw(file, node.args[0])}, {target})"
        title = f"{raw(file, node)} → {new}"
        yield repair(case, "cast", title, [replace(file, node.args[1], target)], cost - 0.2)
        return
    if not wanted:
        return
    new = f"{tensorflow}.cast({inner}, {dtype})"
    yield repair(case, "cast", f"{inner} → {new}", [replace(file, node, new)], cost)
