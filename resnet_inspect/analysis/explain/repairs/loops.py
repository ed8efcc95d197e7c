"""Lets a variable of a `while_loop` change its shape."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import add_argument, raw
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import Shape


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `shape_invariants` with the axes that change unknown."""
    if problem.rule != "loop-shape" or len(problem.operands) < 2:
        return
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call):
        return
    call, file = failing.node, failing.file
    tensorflow = idioms.tensorflow(file)
    variables = argument(call, "loop_vars", 2)
    given = argument(call, "shape_invariants", 3)
    start, end = (operand.shape for operand in problem.operands[:2])
    if not isinstance(variables, ast.List | ast.Tuple) or given is not None or not tensorflow:
        return
    parts, changes = [], 0
    for node in variables.elts:
        value = places.value_of(case, failing.frame, node)
        if value is not None and value.shape == start and start is not None:
            parts.append(f"{tensorflow}.TensorShape({_common(start, end)})")
            changes += 1
        else:
            parts.append(f"{raw(file, node)}.get_shape()")
    if changes == 1:
        new = f"shape_invariants=[{', '.join(parts)}]"
        reason = "the shape of the variable changes in the loop"
        edits = [add_argument(file, call, new)]
        title = f"while_loop(…) → while_loop(…, {new})"
        yield repair(case, "loop-shape", title, edits, 0.9, reason)


def _common(start: Shape, end: Shape | None) -> str:
    """Return the text of a shape with the sizes that stay the same."""
    if end is None or len(start) != len(end):
        return "None"
    sizes = [str(a) if a == b else "None" for a, b in zip(start, end, strict=True)]
    return f"[{', '.join(sizes)}]"
