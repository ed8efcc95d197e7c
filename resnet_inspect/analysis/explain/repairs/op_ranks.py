"""Repairs ops that need another number of axes, or an axis that exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import ValueKind

RANK = re.compile(r"Shape must be (?:at least |at most )?rank (\d+) but is rank (\d+)")
AXIS = re.compile(
    r"(?:Invalid reduction dimension (?P<axis>-?\d+) for input with (?P<rank>\d+) dim"
    r"|Expected dimension in the range \[-?\d+, (?P<end>\d+)\), but got (?P<given>-?\d+))"
)
OTHERS = ("matmul-rank", "conv-rank", "concat", "transpose-axes")  # with repairs of their own


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield a new axis, one axis less, flat rows, or another axis."""
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call):
        return
    rank = RANK.search(case.text)
    if rank and problem.rule not in OTHERS:
        yield from _of_rank(case, problem, failing, int(rank[1]), int(rank[2]))
    axis = AXIS.search(case.text)
    if axis:
        most = int(axis["rank"] or axis["end"]) - 1
        yield from _axis(case, failing, failing.node, int(axis["axis"] or axis["given"]), most)


def _of_rank(
    case: Case, problem: Problem, failing: places.FailingCall, want: int, rank: int
) -> Iterator[Repair]:
    for operand in problem.operands:
        if operand.shape is None or len(operand.shape) != rank:
            continue
        node = _argument(case, failing, operand)
        if node is None:
            continue
        value = places.value_of(case, failing.frame, node)
        array = Array(failing.file, node, value, None if value is not None else True)
        shape = operand.shape
        texts: list[tuple[str, float]] = []
        if want == rank + 1:
            texts.append((arrays.expanded(array, -1), 0.9))
            texts.append((arrays.expanded(array, 0), 1.6))
        if want == rank - 1:
            ones = [at for at, size in enumerate(shape) if size == 1]
            texts += [(arrays.squeezed(array, at, rank), 0.9) for at in ones]
        if want == 2 and rank > 2 and None not in shape[1:]:
            texts.append((arrays.reshaped(array, (-1, prod(s or 1 for s in shape[1:]))), 1.0))
        for new, cost in texts:
            title = f"{raw(array.file, node)} → {new}"
            reason = f"the op needs {want} axes"
            yield repair(case, "op-rank", title, [arrays.edit(array, new)], cost, reason)
        return


def _argument(case: Case, failing: places.FailingCall, operand: Operand) -> ast.expr | None:
    """Return the argument of a call from which an op inside of it reads its input."""
    behind = set(_upstream(case, operand.node))
    for node in places.argument_nodes(failing):
        value = places.value_of(case, failing.frame, node)
        if value is not None and value.node in behind and value.shape == operand.shape:
            return node
    for node in places.argument_nodes(failing):
        value = places.value_of(case, failing.frame, node)
        tensor = value is not None and value.kind in (ValueKind.TENSOR, ValueKind.ARRAY)
        if value is not None and tensor and value.shape == operand.shape:
            return node
    return None


def _upstream(case: Case, number: int) -> Iterator[int]:
    """Yield a node and those that it is a copy or a cast of."""
    while number >= 0:
        yield number
        node = case.crash.nodes[number]
        copies = node.type in ("Cast", "Identity", "Reshape", "StopGradient")
        number = node.inputs[0] if copies and node.inputs else -1


def _axis(
    case: Case, failing: places.FailingCall, call: ast.Call, given: int, most: int
) -> Iterator[Repair]:
    """Yield the last axis in place of one that does not exist."""
    if most < 0:
        return
    for name in ("axis", "axes", "dimension", "reduction_indices", "dim"):
        node = argument(call, name, 1)
        if node is None:
            continue
        text = raw(failing.file, node)
        if text.strip("[]() ") in (str(given), str(given + most + 1)):
            new = re.sub(r"-?\d+", str(most), text)
            title = changed(failing.file, node, new)
            reason = f"the tensor has {most + 1} axes"
            yield repair(case, "axis", title, [replace(failing.file, node, new)], 0.9, reason)
        return
