"""Repairs the list of inputs of a model: their order, and inputs that are missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import permutations

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import INPUTS, Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.graph.crash import Shape, ValueKind

MOST_INPUTS = 5


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield inputs in another order, and lists with the missing input."""
    if problem.rule not in (*INPUTS, "input-count"):
        return
    data = places.data(case, "x")
    shapes = _inputs(case, problem.layer)
    if data is None or data.value is None or not 1 < len(shapes) <= MOST_INPUTS:
        return
    node = places.resolved(data.file, data.node)
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) == len(shapes):
        given = [data.value.items.get(str(at)) for at in range(len(shapes))]
        for order in permutations(range(len(shapes))):
            values = [given[at] for at in order]
            fits = [v is not None and _fit(v.shape, s) for v, s in zip(values, shapes, strict=True)]
            if all(fits) and list(order) != sorted(order):
                new = ", ".join(raw(data.file, node.elts[at]) for at in order)
                new = f"[{new}]" if isinstance(node, ast.List) else f"({new})"
                title = f"{raw(data.file, node)} → {new}"
                reason = "the inputs of the model have this order"
                yield repair(
                    case, "input-order", title, [replace(data.file, node, new)], 0.8, reason
                )
                return
    if data.value.kind is ValueKind.ARRAY:
        yield from _completed(case, data, shapes)


def _completed(case: Case, data: places.Datum, shapes: list[Shape]) -> Iterator[Repair]:
    """Yield a list of arrays of the frame whose shapes are those of the inputs."""
    count = (data.value.shape or (None,))[0] if data.value is not None else None
    labels = places.data(case, "y")
    taken = ast.unparse(labels.node) if labels is not None else ""
    names: list[str] = []
    for shape in shapes:
        fitting = [
            name
            for name, value in case.crash.frames[data.frame].values.items()
            if value.kind is ValueKind.ARRAY
            and name.isidentifier()
            and name not in (*names, taken)
            and _fit(value.shape, shape)
            and (value.shape or (None,))[0] == count
        ]
        if not fitting:
            return
        text = raw(data.file, data.node)
        names.append(text if text in fitting else fitting[0])
    new = f"[{', '.join(names)}]"
    title = f"{raw(data.file, data.node)} → {new}"
    reason = f"the model has {len(shapes)} inputs"
    yield repair(case, "missing-input", title, [replace(data.file, data.node, new)], 0.9, reason)


def _inputs(case: Case, layer: int) -> list[Shape]:
    """Return the shapes of the inputs of a functional model in order."""
    models = [layer] if layer >= 0 and case.crash.layers[layer].sublayers else []
    models = models or [at for at, m in enumerate(case.crash.layers) if m.type == "Functional"]
    for model in models:
        inner = [case.crash.layers[number] for number in case.crash.layers[model].sublayers]
        shapes = [item.output for item in inner if item.type == "InputLayer" and item.output]
        if shapes:
            return shapes
    return []


def _fit(shape: Shape | None, wanted: Shape) -> bool:
    if shape is None:
        return False
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        wanted = wanted[:-1]
    return len(shape) == len(wanted) and all(
        a == b or a is None or b is None for a, b in zip(shape[1:], wanted[1:], strict=True)
    )
