"""Repairs axes that an op names: the order of a transpose, the axis of a squeeze."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import Shape

RULES = ("transpose-axes", "squeeze-axis", "conv-rank", "conv")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield other axes, and the axes that a convolution needs."""
    if problem.rule not in RULES or not problem.operands:
        return
    failing = places.failing_call(case, problem)
    shape = problem.operands[0].shape
    if failing is None or shape is None or not isinstance(failing.node, ast.Call):
        return
    if problem.rule == "transpose-axes":
        yield from _order(case, failing, failing.node, shape)
    elif problem.rule == "squeeze-axis":
        yield from _squeezed(case, failing, failing.node, shape)
    else:
        yield from _image(case, problem, failing, shape)


def _order(
    case: Case, failing: places.FailingCall, call: ast.Call, shape: Shape
) -> Iterator[Repair]:
    """Yield an order of all axes: with the batch in front, then with it behind."""
    node = argument(call, "perm", 1) or argument(call, "axes", 1)
    if node is None or len(shape) < 3:
        return
    last = list(range(len(shape)))
    orders = [[*last[:-2], last[-1], last[-2]], [1, 0, *last[2:]]]
    for order, cost in zip(orders, (1.0, 1.2), strict=True):
        listed = ", ".join(map(str, order))
        new = f"({listed})" if isinstance(node, ast.Tuple) else f"[{listed}]"
        title = changed(failing.file, node, new)
        reason = f"the tensor has {len(shape)} axes"
        keeps = order[0] == 0 or cost > 1
        edits = [replace(failing.file, node, new)]
        yield repair(case, "axis-order", title, edits, cost, reason, keeps_batch=keeps)


def _squeezed(
    case: Case, failing: places.FailingCall, call: ast.Call, shape: Shape
) -> Iterator[Repair]:
    """Yield an axis of size 1; without such an axis, the unchanged tensor."""
    node = argument(call, "axis", 1) or argument(call, "squeeze_dims", 2)
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    for axis in ones if node is not None else []:
        new = f"[{axis}]" if isinstance(node, ast.List) else str(axis)
        if node is not None:
            edits = [replace(failing.file, node, new)]
            yield repair(case, "axis", changed(failing.file, node, new), edits, 0.9)
    if not ones and call.args:
        text = raw(failing.file, call.args[0])
        title = f"{raw(failing.file, call)} → {text}"
        reason = "no axis has the size 1"
        edits = [replace(failing.file, call, text)]
        yield repair(case, "no-squeeze", title, edits, 2.0, reason)


def _image(
    case: Case, problem: Problem, failing: places.FailingCall, shape: Shape
) -> Iterator[Repair]:
    """Yield images with height, width and channels for a convolution."""
    kernel = problem.operands[1].shape if len(problem.operands) > 1 else None
    node = places.argument_of(case, failing, problem, 0)
    if kernel is None or node is None:
        return
    channels = kernel[-2] or 1
    value = places.value_of(case, failing.frame, node)
    array = Array(failing.file, node, value, None if value is not None else True)
    if len(shape) == len(kernel) - 1 and channels == 1:
        new = arrays.expanded(array, -1)
        title = f"{raw(array.file, node)} → {new}"
        edits = [arrays.edit(array, new)]
        yield repair(case, "new-axis", title, edits, 0.9, "the kernel is for 1 channel")
    if len(shape) == len(kernel) - 1:
        new = arrays.expanded(array, 0)
        title = f"{raw(array.file, node)} → {new}"
        cost = 0.9 if shape[-1] == channels else 1.8
        yield repair(case, "new-axis", title, [arrays.edit(array, new)], cost)
    if len(shape) == 2 and len(kernel) == 4 and shape[1]:
        side = round((shape[1] / channels) ** 0.5)
        if side * side * channels == shape[1]:
            new = arrays.reshaped(array, (-1, side, side, channels))
            title = f"{raw(array.file, node)} → {new}"
            yield repair(case, "images", title, [arrays.edit(array, new)], 0.8)
