"""Lets a recurrent layer return all steps, or its last one alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import Sides, labels_and_output, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace, set_argument
from resnet_inspect.graph.crash import CrashLayer

STEPWISE = (*places.RECURRENT, "TimeDistributed", "Conv1D", "MaxPooling1D", "Attention")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `return_sequences=True` or `False` for the recurrent layer in front."""
    if problem.rule == "input-rank":
        operand = problem.operands[0] if problem.operands else None
        if operand is None or len(operand.shape or ()) > 3:
            return
        for layer in _nearest(case, places.chain(case, operand)):
            yield from _all_steps(case, layer, 0.9)
    compared = labels_and_output(problem)
    if compared is not None:
        labels, output = (len(operand.shape or ()) for operand in compared)
        prediction = compared[1]
        layers = places.chain(case, prediction)
        output = places.rank_of_output(case, layers, output)
        recurrent = [n for n in layers if _is_recurrent(case.crash.layers[n])]
        flat = any(case.crash.layers[n].type == "Flatten" for n in layers)
        for layer in recurrent[:1]:
            if output > labels:
                yield from _last_step(case, layer, 0.9 if not flat else 2.0)
            if output < labels:
                yield from _all_steps(case, layer, 0.9)


def _nearest(case: Case, layers: list[int]) -> Iterator[int]:
    """Yield the recurrent layer directly in front, behind layers that keep the rank."""
    for layer in layers:
        record = case.crash.layers[layer]
        if _is_recurrent(record):
            yield layer
            return
        if record.type not in (*places.PASSING, "Dense"):
            return


def _is_recurrent(record: CrashLayer) -> bool:
    return record.type in places.RECURRENT


def _all_steps(case: Case, layer: int, cost: float) -> Iterator[Repair]:
    """Yield the repair for a layer, and for those behind it that need it too."""
    calls = [places.creation(case, number) for number in (layer, *_followed(case, layer))]
    edits: list[Edit] = []
    title = ""
    for made in calls:
        if made is None:
            continue
        call = _inner(made)
        if _argument(call, "return_sequences") == "True":
            continue
        edits.append(set_argument(made.file, call, "return_sequences", "True"))
        name = ast.unparse(call.func).rpartition(".")[2]
        first = raw(made.file, call.args[0]) if call.args else "…"
        title = title or f"{name}({first}, …) → {name}({first}, return_sequences=True)"
    if edits:
        if len(edits) > 1:
            title += f", and {len(edits) - 1} more"
        reason = "the next layer needs all steps, not the last one alone"
        yield repair(case, "return-sequences", title, edits, cost, reason)


def _followed(case: Case, layer: int) -> list[int]:
    """Return the later recurrent layers of a Sequential model that other ones follow."""
    for model in case.crash.layers:
        if model.type == "Sequential" and layer in model.sublayers:
            later = model.sublayers[model.sublayers.index(layer) + 1 :]
            recurrent = [n for n in later if _is_recurrent(case.crash.layers[n])]
            return recurrent[:-1]
    return []


def _last_step(case: Case, layer: int, cost: float) -> Iterator[Repair]:
    made = places.creation(case, layer)
    if made is None:
        return
    call = _inner(made)
    if _argument(call, "return_sequences") != "True":
        return
    node = next(k.value for k in call.keywords if k.arg == "return_sequences")
    edit = replace(made.file, node, "False")
    name = ast.unparse(call.func).rpartition(".")[2]
    first = raw(made.file, call.args[0]) if call.args else "…"
    title = f"{name}({first}, return_sequences=True) → {name}({first}, return_sequences=False)"
    reason = "the labels belong to whole sequences, not to each step"
    yield repair(case, "return-sequences", title, [edit], cost, reason)


def _inner(made: places.Creation) -> ast.Call:
    """Return the call of the recurrent layer inside of Bidirectional or TimeDistributed."""
    call = made.call
    while call.args and isinstance(call.args[0], ast.Call) and _wraps(call):
        call = call.args[0]
    return call


def _wraps(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] in ("Bidirectional", "TimeDistributed")


def _argument(call: ast.Call, name: str) -> str:
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), "")
