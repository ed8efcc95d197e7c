"""Data of the wrong kind: object arrays, texts, single tensors that are unpacked, generators."""

from __future__ import annotations

import ast
import re

from resnet_inspect.analysis.explain.case import Case, Problem, Side
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.graph.crash import Shape

INVALID = re.compile(r"Invalid dtype: (\w+)")
JOINED = re.compile(
    r"along dimension (\d+), the array at index (\d+) has size (\d+) and the array at index (\d+) "
    r"has size (\d+)"
)
GENERATED = re.compile(r"the generator must return a tuple")


def recognize(case: Case) -> Problem | None:
    """Return the problem of data of the wrong kind, None for other failures."""
    return _invalid(case) or _joined(case) or _unpacked(case) or _generated(case)


def _invalid(case: Case) -> Problem | None:
    matched = INVALID.search(case.text)
    if not matched:
        return None
    dtype = matched[1]
    operand = next((o for o in case.operands.data() if o.dtype.startswith(dtype[:3])), None)
    label = operand.label if operand is not None else "the data"
    kind = "texts" if dtype.startswith(("str", "bytes")) else "Python objects, such as rows of "
    kind += "" if kind == "texts" else "different lengths"
    verdict = f"not a shape error: {label} contains {kind}; a model needs numbers"
    operands = (operand,) if operand is not None else ()
    return Problem(Kind.DTYPE, "object-array", verdict, case.crash.during, operands=operands)


def _joined(case: Case) -> Problem | None:
    matched = JOINED.search(case.text)
    if not matched or case.frame < 0:
        return None
    axis, sizes = int(matched[1]), (int(matched[3]), int(matched[5]))
    values = case.crash.frames[case.frame].values.items()
    operands = []
    for size in sizes:
        named = [(name, v.shape) for name, v in values if _has(v.shape, axis, size)]
        name, shape = named[0] if len(named) == 1 else ("an array", None)
        text = name if shape is not None else ""
        operands.append(Operand(name, shape, frame=case.frame, expression=text))
    first, second = operands
    verdict = (
        f"arrays to join need equal sizes on axis {axis}: {first.label} has {sizes[0]}, "
        f"{second.label} has {sizes[1]}"
    )
    sides = Side(first, axis, sizes[0]), Side(second, axis, sizes[1])
    return Problem(
        Kind.SHAPE, "concat", verdict, "concatenate", operands=(first, second), sides=sides
    )


def _has(shape: Shape | None, axis: int, size: int) -> bool:
    return shape is not None and len(shape) > axis and shape[axis] == size


def _unpacked(case: Case) -> Problem | None:
    """Return the problem of a step that unpacks `x, y` from data without labels."""
    if "Iterating over a symbolic" not in case.text or case.frame < 0:
        return None
    site = case.crash.frames[case.frame].site
    statement = case.sources[site.file].statement(site.line)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Tuple):
        return None
    names = ", ".join(ast.unparse(name) for name in statement.targets[0].elts)
    value = ast.unparse(statement.value)
    verdict = f"{value} is a single tensor, which cannot be unpacked into {names}"
    if case.operands.trainer is not None and len(list(case.operands.data())) == 1:
        verdict += f": {case.crash.during} received no labels"
    return Problem(Kind.STRUCTURE, "unpacking", verdict)


def _generated(case: Case) -> Problem | None:
    if not GENERATED.search(case.text):
        return None
    verdict = "the generator must yield a tuple (x, y), but it yields a list"
    return Problem(Kind.STRUCTURE, "generator-items", verdict, case.crash.during)
