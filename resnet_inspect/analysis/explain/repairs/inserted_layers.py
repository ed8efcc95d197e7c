"""Inserts a layer in front of another: Flatten, GlobalAveragePooling, Reshape."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import idioms, insertions, places
from resnet_inspect.analysis.explain.repairs.building import (
    INPUTS,
    Sides,
    labels_and_output,
    repair,
)
from resnet_inspect.analysis.explain.repairs.edits import raw, wrap
from resnet_inspect.graph.crash import Shape

POOLINGS = {
    3: "GlobalAveragePooling1D",
    4: "GlobalAveragePooling2D",
    5: "GlobalAveragePooling3D",
}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield layers that give the next one, or the loss, the rank that it needs."""
    compared = labels_and_output(problem)
    if compared is not None:
        yield from _for_loss(case, *compared)
    elif problem.rule in (*INPUTS, "merge-rank"):
        yield from _for_layer(case, problem)


def _for_loss(case: Case, labels: Operand, output: Operand) -> Iterator[Repair]:
    """Yield Flatten in front of the first Dense layer that received more than two axes."""
    if output.shape is None or labels.shape is None:
        return
    layers = places.chain(case, output)
    rank = places.rank_of_output(case, layers, len(output.shape))
    if rank < 3 or len(labels.shape) >= rank:
        return
    target = -1
    for number in layers:
        record = case.crash.layers[number]
        if record.type in ("Flatten", "Reshape", "InputLayer"):
            break
        if record.type == "Dense":
            target = number
            rank = len(record.built_for or output.shape)
        elif record.type not in places.PASSING and target >= 0:
            break
    made = places.creation(case, target)
    if made is None:
        return
    yield from _inserted(case, made, "Flatten", "", 1.0, "the output needs one row per example")
    if rank in POOLINGS:
        yield from _inserted(case, made, POOLINGS[rank], "", 1.5)


def _for_layer(case: Case, problem: Problem) -> Iterator[Repair]:
    if not problem.operands or problem.layer < 0:
        return
    operand = problem.operands[0]
    made = places.creation(case, problem.layer)
    shape = operand.shape
    if shape is not None and case.crash.layers[problem.layer].sublayers:
        yield from _for_model(case, problem, shape)
    elif made is not None and shape is not None:
        for name, arguments, cost in _targets(case, problem, operand, shape):
            yield from _inserted(case, made, name, arguments, cost)


def _targets(
    case: Case, problem: Problem, operand: Operand, shape: Shape
) -> Iterator[tuple[str, str, float]]:
    """Yield layers that give the layer at fault its rank: names, arguments and costs."""
    layer = case.crash.layers[problem.layer]
    want, rank = problem.facts.get("want"), len(shape)
    if layer.type == "Dense" and rank > 2 and problem.rule != "merge-rank":
        built = layer.built_for
        flat = None not in shape[1:] and built is not None and built[-1] == prod(_known(shape))
        yield "Flatten", "", 1.2 if flat else 2.5
    elif problem.rule == "input-rank" and isinstance(want, int):
        if want < rank:
            yield from _fewer_axes(case, operand, shape, want)
        elif want == rank + 1:
            yield from _one_axis_more(case, operand, shape)
        if want == 4 and rank == 2 and shape[1]:
            for target, cost in _images(case, operand, shape[1]):
                yield "Reshape", target, cost


def _fewer_axes(
    case: Case, operand: Operand, shape: Shape, want: int
) -> Iterator[tuple[str, str, float]]:
    if want == 2:
        yield "Flatten", "", 1.2
        if len(shape) in POOLINGS:
            yield POOLINGS[len(shape)], "", 1.8
    if want == 3 and (len(shape) == 5 or _stepwise(case, operand)):
        yield "TimeDistributed", "Flatten()", 1.0
    if want == 3 and len(shape) == 4 and None not in shape[1:]:
        _, height, width, channels = shape
        yield "Reshape", f"({height}, {(width or 1) * (channels or 1)})", 1.4
        yield "Reshape", f"({(height or 1) * (width or 1)}, {channels})", 1.5


def _one_axis_more(case: Case, operand: Operand, shape: Shape) -> Iterator[tuple[str, str, float]]:
    fed = case.operands.is_input(operand)
    if not fed and len(shape) == 2 and shape[1] is not None:
        yield "Reshape", f"({shape[1]}, 1)", 1.4
        yield "Reshape", f"(1, {shape[1]})", 1.5
    if len(shape) >= 3 and None not in shape[1:]:
        sizes = ", ".join(str(size) for size in shape[1:])
        yield "Reshape", f"({sizes}, 1)", 2.0 if fed else 1.4


def _for_model(case: Case, problem: Problem, shape: Shape) -> Iterator[Repair]:
    """Yield Reshape or Flatten of the tensor that a model of other rank is called on."""
    want = problem.sides[1].operand.shape if len(problem.sides) > 1 else None
    failing = places.failing_call(case, problem)
    call = failing.node if failing is not None else None
    if want is None or case.crash.during or len(want) < 2:
        return
    if failing is None or not isinstance(call, ast.Call) or not call.args:
        return
    if None in (*want[1:], *shape[1:]) or prod(_known(want)) != prod(_known(shape)):
        return
    file, node = failing.file, call.args[0]
    listed = ", ".join(str(size) for size in want[1:])
    name, given = ("Flatten", "") if len(want) == 2 else ("Reshape", f"({listed})")
    spelled, imports = idioms.layer(file, name)
    edits = (*imports, *wrap(file, node, f"{spelled}({given})(", ")"))
    title = f"{raw(file, node)} → {name}({given})({raw(file, node)})"
    reason = f"the model needs the shape ({listed}) per example"
    yield repair(case, "insert-layer", title, edits, 0.9, reason)


def _stepwise(case: Case, operand: Operand) -> bool:
    """Return whether a tensor comes from layers that are applied to each step."""
    layers = places.chain(case, operand)
    return bool(layers) and case.crash.layers[layers[0]].type == "TimeDistributed"


def _images(case: Case, operand: Operand, size: int) -> Iterator[tuple[str, float]]:
    """Yield shapes of images with as many elements: that of the units' factors, then squares."""
    for layer in places.chain(case, operand):
        made = places.creation(case, layer)
        if case.crash.layers[layer].type not in (*places.PASSING, "Dense"):
            break
        if made is None or not made.call.args or case.crash.layers[layer].type != "Dense":
            continue
        factors = _factors(made.call.args[0])
        if len(factors) == 3:
            yield f"({', '.join(raw(made.file, factor) for factor in factors)})", 0.9
            return
        break
    side = round(size**0.5)
    if side * side == size:
        yield f"({side}, {side}, 1)", 1.4
    for side in (28, 32, 16, 14, 8, 7, 4):
        if size % (side * side) == 0 and size != side * side:
            yield f"({side}, {side}, {size // (side * side)})", 1.5
            return


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _known(shape: Shape) -> list[int]:
    return [size for size in shape[1:] if size is not None]


def _inserted(
    case: Case, made: places.Creation, name: str, arguments: str, cost: float, reason: str = ""
) -> Iterator[Repair]:
    edits = insertions.inserted(made, name, arguments)
    if edits:
        of = ast.unparse(made.call.func).rpartition(".")[2]
        given = raw(made.file, made.call.args[0]) if made.call.args else ""
        title = f"insert {name}({arguments}) before {of}({given})"
        yield repair(case, "insert-layer", title, edits, cost, reason)
