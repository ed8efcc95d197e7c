"""Turns a matrix so that two tensors can be combined elementwise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw
from resnet_inspect.graph.crash import NodeKind, Shape

RULES = ("broadcast", "broadcast-rank", "array-broadcast", "op")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changes of one operand in the failing line."""
    if problem.rule not in RULES or len(problem.operands) < 2:
        return
    failing = places.failing_call(case, problem)
    if failing is None:
        return
    nodes = [places.argument_of(case, failing, problem, at) for at in (0, 1)]
    if nodes[0] is nodes[1]:
        return
    shapes = [operand.shape for operand in problem.operands[:2]]
    for at, node in enumerate(nodes):
        own, other = shapes[at], shapes[1 - at]
        changed = isinstance(failing.node, ast.Call) and node is not None and _owner(failing.node)
        if node is None or node is changed or own is None or other is None:
            continue
        value = places.value_of(case, failing.frame, node)
        numpy = problem.rule == "array-broadcast"
        array = Array(failing.file, node, value, None if value is not None else not numpy)
        if not _is_data(case, problem, at):
            yield from _turned(case, array, own, other)


def _owner(call: ast.Call) -> ast.expr | None:
    """Return the variable whose method is called, such as `v` of `v.assign(new)`."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _is_data(case: Case, problem: Problem, at: int) -> bool:
    number = problem.operands[at].node
    return number >= 0 and case.crash.nodes[number].kind is NodeKind.INPUT


def _turned(case: Case, array: Array, own: Shape, other: Shape) -> Iterator[Repair]:
    """Yield a transposed matrix."""
    if len(own) == 2 and len(other) == 2 and own[::-1] == other and own != other:
        new = arrays.transposed(array, (1, 0))
        title = f"{raw(array.file, array.node)} → {new}"
        keeps = isinstance(array.node, ast.Name) and not array.symbolic
        edits = [arrays.edit(array, new)]
        yield repair(case, "transpose", title, edits, 1.2, keeps_batch=keeps or own[0] is not None)
