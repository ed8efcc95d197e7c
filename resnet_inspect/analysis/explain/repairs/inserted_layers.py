"""Inserts a layer in front of another: Flatten, GlobalAveragePooling, Reshape."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import (
    INPUTS,
    Sides,
    labels_and_output,
    repair,
)
from resnet_inspect.analysis.explain.repairs.edits import insert_before, line_before, raw, wrap
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
    if made is None or shape is None or case.crash.layers[problem.layer].sublayers:
        return
    layer = case.crash.layers[problem.layer]
    fed = case.operands.is_input(operand)
    want = problem.facts.get("want")
    if layer.type == "Dense" and len(shape) > 2 and problem.rule != "merge-rank":
        built = layer.built_for
        flat = None not in shape[1:] and built is not None and built[-1] == prod(_known(shape))
        yield from _inserted(case, made, "Flatten", "", 1.2 if flat else 2.5)
        return
    if problem.rule != "input-rank" or not isinstance(want, int):
        return
    if want == 2 and len(shape) > 2:
        yield from _inserted(case, made, "Flatten", "", 1.2)
        if len(shape) in POOLINGS:
            yield from _inserted(case, made, POOLINGS[len(shape)], "", 1.8)
    if want == 3 and len(shape) == 4 and None not in shape[1:]:
        _, height, width, channels = shape
        target = f"({height}, {(width or 1) * (channels or 1)})"
        yield from _inserted(case, made, "Reshape", target, 1.4)
        merged = f"({(height or 1) * (width or 1)}, {channels})"
        yield from _inserted(case, made, "Reshape", merged, 1.5)
    if want == len(shape) + 1 and not fed and len(shape) == 2 and shape[1] is not None:
        yield from _inserted(case, made, "Reshape", f"({shape[1]}, 1)", 1.4)
        yield from _inserted(case, made, "Reshape", f"(1, {shape[1]})", 1.5)
    if want == len(shape) + 1 and len(shape) >= 3 and None not in shape[1:]:
        sizes = ", ".join(str(size) for size in shape[1:])
        yield from _inserted(case, made, "Reshape", f"({sizes}, 1)", 2.0 if fed else 1.4)
    if want == 4 and len(shape) == 2 and shape[1]:
        side = round(shape[1] ** 0.5)
        if side * side == shape[1]:
            yield from _inserted(case, made, "Reshape", f"({side}, {side}, 1)", 1.4)


def _known(shape: Shape) -> list[int]:
    return [size for size in shape[1:] if size is not None]


def _inserted(
    case: Case, made: places.Creation, name: str, arguments: str, cost: float, reason: str = ""
) -> Iterator[Repair]:
    edits = inserted(made, name, arguments)
    if edits:
        of = ast.unparse(made.call.func).rpartition(".")[2]
        given = raw(made.file, made.call.args[0]) if made.call.args else ""
        title = f"insert {name}({arguments}) before {of}({given})"
        yield repair(case, "insert-layer", title, edits, cost, reason)


def inserted(made: places.Creation, name: str, arguments: str = "") -> tuple[Edit, ...]:
    """Return the edits that insert a layer in front of another, empty if it cannot be done."""
    file, call = made.file, made.call
    where = places.position(made)
    spelled, imports = idioms.layer(file, name, call.func)
    new = f"{spelled}({arguments})"
    parent = file.parents.get(call)
    if where is places.Position.LIST:
        return (*imports, _in_list(made, parent, new))
    if where is places.Position.ADD and isinstance(parent, ast.Call):
        statement = file.enclosing_statement(call)
        if isinstance(statement, ast.Expr):
            return (*imports, line_before(file, statement, f"{raw(file, parent.func)}({new})"))
    for applied in places.applications(made):
        if len(applied.args) == 1:
            kept = _kept(made, name, new)
            if kept is None:
                return (*imports, *_in_chain(made, applied, new))
            return (*imports, kept[1], *_in_chain(made, applied, kept[0]))
    return ()


def _kept(made: places.Creation, name: str, new: str) -> tuple[str, Edit] | None:
    """Return a name for a layer of a model of the user, and the edit that creates it there."""
    statement = made.file.parents.get(made.call)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Attribute):
        return None
    attribute = f"{ast.unparse(statement.targets[0].value)}.{name.lower()}"
    if attribute in made.file.text:
        attribute += "_2"
    return attribute, line_before(made.file, statement, f"{attribute} = {new}")


def _in_list(made: places.Creation, parent: ast.AST | None, new: str) -> Edit:
    """Return the edit of a list of layers; on a line of its own if the others have one."""
    file, call = made.file, made.call
    line = file.lines[call.lineno - 1]
    prefix = line.encode()[: call.col_offset].decode()
    ending = f",\n{prefix}" if not prefix.strip() else ", "
    return insert_before(file, call, f"{new}{ending}")


def _in_chain(made: places.Creation, applied: ast.Call, new: str) -> tuple[Edit, ...]:
    """Return the edits of `h = Dense(3)(h)`: a line before it, else around its argument."""
    file, given = made.file, applied.args[0]
    statement = file.enclosing_statement(applied)
    alone = isinstance(statement, ast.Assign) and statement.value is applied
    if alone and isinstance(given, ast.Name) and isinstance(statement, ast.Assign):
        target = ast.unparse(statement.targets[0])
        later = any(
            isinstance(node, ast.Name) and node.id == given.id and node.lineno > applied.lineno
            for node in ast.walk(file.scope(applied.lineno))
        )
        if target == given.id or not later:
            return (line_before(file, statement, f"{given.id} = {new}({given.id})"),)
    return wrap(file, given, f"{new}(", ")")
