"""Lets a generator yield batches, and resizes images for a model that was trained on others."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import INPUTS, Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile
from resnet_inspect.graph.crash import Shape, ValueKind


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield a batch axis for what a generator yields, and resized images."""
    if problem.rule not in INPUTS:
        return
    data = places.data(case, "x")
    if data is None:
        return
    want = problem.sides[1].size if len(problem.sides) > 1 and problem.sides[1].rank else 0
    got = problem.sides[0].size if problem.sides else 0
    if problem.rule != "input-axis" and want == got + 1:
        yield from _batches(case, data)
    if case.crash.during in ("predict", "evaluate"):
        yield from _resized(case, problem, data)


def _batches(case: Case, data: places.Datum) -> Iterator[Repair]:
    """Yield `x[None], y[None]` in the function whose generator is passed."""
    made = places.resolved(data.file, data.node)
    if not isinstance(made, ast.Call):
        return
    name = ast.unparse(made.func)
    for node in ast.walk(data.file.tree):
        if not isinstance(node, ast.FunctionDef) or node.name != name:
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Yield) and isinstance(inner.value, ast.Tuple):
                edits = list(_with_batch(data.file, inner.value))
                old = ", ".join(raw(data.file, item) for item in inner.value.elts)
                new = ", ".join(edit.new for edit in edits)
                title = f"yield {old} → yield {new}"
                reason = "the generator yields single examples, without a batch axis"
                yield repair(case, "batch-axis", title, edits, 0.8, reason)


def _with_batch(file: SourceFile, values: ast.Tuple) -> Iterator[Edit]:
    for item in values.elts:
        yield replace(file, item, f"{primary(file, item)}[None]")


def _resized(case: Case, problem: Problem, data: places.Datum) -> Iterator[Repair]:
    """Yield images of the size on which the model was trained."""
    got = data.value.shape if data.value is not None else None
    want = _trained_on(case, problem)
    tensorflow = idioms.tensorflow(data.file)
    if got is None or want is None or data.value is None or not tensorflow:
        return
    images = len(got) == len(want) == 4 and got[3] == want[3] and got[1:3] != want[1:3]
    if images and None not in want[1:3] and data.value.kind is not ValueKind.DATASET:
        size = f"({want[1]}, {want[2]})"
        new = f"{tensorflow}.image.resize({raw(data.file, data.node)}, {size})"
        title = f"{raw(data.file, data.node)} → {new}"
        reason = f"the model was trained on images of {want[1]} × {want[2]}"
        yield repair(case, "resize", title, [replace(data.file, data.node, new)], 0.9, reason)


def _trained_on(case: Case, problem: Problem) -> Shape | None:
    """Return the shape for which the first layer of the model was built."""
    models = places.models_of(case, problem.layer)
    for model in models or ([problem.layer] if problem.layer >= 0 else []):
        for number in case.crash.layers[model].sublayers:
            layer = case.crash.layers[number]
            shape = layer.output if layer.type == "InputLayer" else layer.built_for
            if shape is not None and len(shape) == 4:
                return shape
    return None
