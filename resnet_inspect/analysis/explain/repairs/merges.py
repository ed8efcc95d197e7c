"""Repairs of tensors that are joined: the axis, tensors of another rank."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import arrays, idioms, places, skips
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace, set_argument, wrap
from resnet_inspect.analysis.explain.sources import SourceFile, argument
from resnet_inspect.graph.crash import Shape


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield another axis of a concatenation, or inputs of equal rank."""
    if problem.rule not in ("concat", "merge", "merge-rank"):
        return
    shapes = [operand.shape for operand in problem.operands if operand.shape]
    if problem.rule == "merge-rank":
        yield from _flattened(case, problem)
        return
    if len({len(shape) for shape in shapes[:2]}) > 1:
        yield from _equal_ranks(case, problem)
    for axis in _fitting_axes(shapes):
        yield from _axis(case, problem, axis, len(shapes[0] or ()))


def _fitting_axes(shapes: list[Shape]) -> Iterator[int]:
    """Yield the axes along which tensors can be joined, the last one first."""
    ranks = {len(shape) for shape in shapes}
    if len(shapes) < 2 or len(ranks) != 1:
        return
    for axis in reversed(range(ranks.pop())):
        rest = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
        if all(
            x == y or x is None or y is None
            for other in rest[1:]
            for x, y in zip(rest[0], other, strict=True)
        ):
            yield axis


def _axis(case: Case, problem: Problem, axis: int, rank: int) -> Iterator[Repair]:
    joins = problem.layer >= 0 and case.crash.layers[problem.layer].type == "Concatenate"
    made = places.creation(case, problem.layer) if joins else None
    if made is not None:
        change = _axis_edit(made.file, made.call, axis, rank, position=None)
    else:
        failing = places.failing_call(case, problem)
        call = failing.node if failing is not None else None
        change = None
        if failing is not None and isinstance(call, ast.Call):
            change = _axis_edit(failing.file, call, axis, rank, position=1)
    if change is not None:
        edit, title = change
        keeps = axis > 0
        yield repair(case, "concat-axis", title, [edit], 0.9, keeps_batch=keeps)


def _axis_edit(
    file: SourceFile, call: ast.Call, axis: int, rank: int, *, position: int | None
) -> tuple[Edit, str] | None:
    given = argument(call, "axis", position)
    function = ast.unparse(call.func).rpartition(".")[2]
    name = function
    if given is not None:
        old = raw(file, given)
        new = str(axis - rank) if old.startswith("-") else str(axis)
        if new == old:
            return None
        return replace(file, given, new), f"{name} axis={old} → axis={new}"
    if function.lower() in ("concat", "concatenate"):
        return set_argument(file, call, "axis", str(axis)), f"{name}(…) → {name}(…, axis={axis})"
    return None


def _equal_ranks(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield a new axis of the tensor of lower rank, or rows of the one of higher rank."""
    joined = skips.merged(case)
    shapes = [operand.shape or () for operand in problem.operands[:2]]
    if joined is None or len(shapes) < 2 or len(joined[1]) < 2:
        return
    file, nodes = joined
    low = 0 if len(shapes[0]) < len(shapes[1]) else 1
    lower, higher = shapes[low], shapes[1 - low]
    frame = case.frame
    for axis in range(1, len(higher)) if len(lower) == len(higher) - 1 else ():
        longer = (*lower[:axis], 1, *lower[axis:])
        if any(True for _ in _fitting_axes([longer, higher])):
            array = Array(
                file, nodes[low], places.value_of(case, frame, nodes[low]), is_tensor=True
            )
            new = arrays.expanded(array, -1 if axis == len(lower) else axis)
            title = f"{raw(file, nodes[low])} → {new}"
            yield repair(case, "new-axis", title, [arrays.edit(array, new)], 0.9)
            break
    if len(lower) == 2 and len(higher) > 2 and None not in higher[1:]:
        value = places.value_of(case, frame, nodes[1 - low])
        array = Array(file, nodes[1 - low], value, is_tensor=True)
        new = arrays.reshaped(array, (-1, prod(size or 1 for size in higher[1:])))
        title = f"{raw(file, nodes[1 - low])} → {new}"
        yield repair(case, "flat-rows", title, [arrays.edit(array, new)], 1.0)


def _flattened(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield Flatten for an input of more axes than the others."""
    merged = skips.merged(case)
    if merged is None:
        return
    file, nodes = merged
    shapes = [operand.shape or () for operand in problem.operands]
    if len(nodes) < 2 or len(shapes) < 2:
        return
    ranks = [len(shape) for shape in shapes]
    for at, node in enumerate(nodes[:2]):
        other = ranks[1 - at] if len(ranks) > 1 else 0
        if ranks[at] > other == 2:
            near = skips.layer_near(file, node)
            spelled, imports = idioms.layer(file, "Flatten", near)
            edits = (*imports, *wrap(file, node, f"{spelled}()(", ")"))
            text = raw(file, node)
            yield repair(case, "flatten-input", f"{text} → Flatten()({text})", edits, 1.0)
            pooling = {3: "1D", 4: "2D", 5: "3D"}.get(ranks[at])
            if pooling:
                name = f"GlobalAveragePooling{pooling}"
                spelled, imports = idioms.layer(file, name, near)
                edits = (*imports, *wrap(file, node, f"{spelled}()(", ")"))
                yield repair(case, "flatten-input", f"{text} → {name}()({text})", edits, 1.4)
