"""Repairs matrix products: transposed or exchanged operands, a missing axis, flat rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import add_argument, raw, replace
from resnet_inspect.graph.crash import Shape

RULES = ("matmul", "matmul-rank", "array-product")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changes of the operands of a product."""
    if problem.rule not in RULES or len(problem.operands) < 2:
        return
    failing = places.failing_call(case, problem)
    if failing is None:
        return
    nodes = [places.argument_of(case, failing, problem, at) for at in (0, 1)]
    a, b = (operand.shape for operand in problem.operands[:2])
    left, right = nodes
    if left is None or right is None or a is None or b is None or left is right:
        return
    weight = places.is_weight(case, problem.operands[1])
    first, second = (_array(case, problem, failing, at, n) for at, n in enumerate((left, right)))
    yield from _flat(case, first, a, b)
    if len(a) >= 2 and len(b) >= 2:
        yield from _transposed(case, failing, first, second, a, b, weight=weight)
        yield from _exchanged(case, failing, left, right, a, b)
    elif len(b) == 1 and len(a) >= 2 and b[0] in (a[-1], None):
        yield from _expanded(case, second, 1, 0.9)
    elif len(b) == 1 and len(a) == 1:
        yield from _expanded(case, first, 0, 1.0)
    elif len(b) == 1:
        yield from _expanded(case, second, 0, 1.0)
    if len(a) == 1 and len(b) >= 2:
        yield from _expanded(case, first, 0 if a[0] in (b[-2], None) else 1, 0.9)


def _array(
    case: Case, problem: Problem, failing: places.FailingCall, at: int, node: ast.expr
) -> Array:
    value = places.value_of(case, failing.frame, node)
    symbolic = problem.operands[at].node >= 0 or problem.rule != "array-product"
    return Array(failing.file, node, value, (symbolic and value is None) or None)


def _flat(case: Case, first: Array, a: Shape, b: Shape) -> Iterator[Repair]:
    """Yield a reshape of images or sequences to rows, if the weight has their size."""
    if len(a) < 3 or len(b) != 2 or None in a[1:]:
        return
    total = prod(size or 1 for size in a[1:])
    if total == b[0]:
        new = arrays.reshaped(first, (-1, total))
        title = f"{raw(first.file, first.node)} → {new}"
        yield repair(case, "flat-rows", title, [arrays.edit(first, new)], 0.7)


def _transposed(
    case: Case,
    failing: places.FailingCall,
    first: Array,
    second: Array,
    a: Shape,
    b: Shape,
    *,
    weight: bool,
) -> Iterator[Repair]:
    file, call = failing.file, failing.node
    function = ast.unparse(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else "@"
    for array, shape, fits, name, cost in (
        (second, b, a[-1] == b[-1] is not None, "transpose_b", 0.95 if weight else 0.9),
        (first, a, a[-2] == b[-2] is not None, "transpose_a", 1.2 if len(a) == 2 else 1.5),
    ):
        if not fits:
            continue
        keeps = name == "transpose_b" or len(a) > 2 or _is_numpy(array)
        if function == "matmul" and isinstance(call, ast.Call) and array.symbolic:
            title = f"{raw(file, call)} → matmul(…, {name}=True)"
            edit = add_argument(file, call, f"{name}=True")
            yield repair(case, "transpose", title, [edit], cost, keeps_batch=keeps)
        elif len(shape) == 2:
            new = arrays.transposed(array, (1, 0))
            title = f"{raw(file, array.node)} → {new}"
            edits = [arrays.edit(array, new)]
            yield repair(case, "transpose", title, edits, cost, keeps_batch=keeps)


def _is_numpy(array: Array) -> bool:
    """Return whether an operand is a NumPy array, whose first axis need not be a batch."""
    return not array.symbolic


def _exchanged(
    case: Case,
    failing: places.FailingCall,
    left: ast.expr,
    right: ast.expr,
    a: Shape,
    b: Shape,
) -> Iterator[Repair]:
    """Yield the operands in the other order."""
    if len(a) != len(b) or b[-1] != a[-2] or b[-1] is None:
        return
    file = failing.file
    edits = [replace(file, left, raw(file, right)), replace(file, right, raw(file, left))]
    title = f"exchange {raw(file, left)} and {raw(file, right)}"
    yield repair(case, "exchange-operands", title, edits, 1.4)


def _expanded(case: Case, array: Array, axis: int, cost: float) -> Iterator[Repair]:
    new = arrays.expanded(array, axis)
    title = f"{raw(array.file, array.node)} → {new}"
    yield repair(case, "new-axis", title, [arrays.edit(array, new)], cost)
