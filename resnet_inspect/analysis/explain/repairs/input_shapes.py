"""Changes the shape that a model declares for its input: `input_dim`, `input_shape`, `Input(…)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import INPUTS, Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile, argument, evaluated
from resnet_inspect.graph.crash import NodeKind, Shape, ValueKind

WITHOUT_BATCH = ("input_shape", "shape", "input_dim")
WITH_BATCH = ("batch_input_shape", "batch_shape")
# The ranks of input, with the batch, that layers need.
RANKS = {
    "Dense": range(2, 9),
    "Conv1D": range(3, 4),
    "LSTM": range(3, 4),
    "GRU": range(3, 4),
    "SimpleRNN": range(3, 4),
    "Conv2D": range(4, 5),
    "ConvLSTM2D": range(5, 6),
    "Conv3D": range(5, 6),
    "MaxPooling2D": range(4, 5),
    "Embedding": range(2, 3),
}


class Declared(NamedTuple):
    """An expression that declares the shape of an input."""

    file: SourceFile
    node: ast.expr
    name: str
    values: dict[str, int] | None = None


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changes of a declared input shape to that of the data."""
    if problem.rule == "matmul":
        yield from _unchecked(case, problem)
    if problem.rule not in INPUTS or not problem.operands:
        return
    operand = places.received(problem)
    data = places.datum(case, operand)
    of_model = problem.layer >= 0 and bool(case.crash.layers[problem.layer].sublayers)
    if data is None and not _is_input(case, operand) and not of_model:
        return
    shape = _data_shape(case, data) or operand.shape
    if shape is None or len(shape) < 2:
        return
    if data is None and problem.rule == "input-rank":
        if not of_model:
            yield from _with_channel(case, problem, shape)
        return
    for declared in declarations(case, problem.layer):
        new = written(declared, shape)
        if isinstance(declared.node, ast.Attribute):
            new = without_batch(declared) if problem.rule == "input-rank" else None
        if new is None or new == ast.unparse(declared.node):
            continue
        if problem.rule != "input-axis" and not _fits(case, problem, len(shape)):
            continue
        turned = len(shape) > 3 and _is_permuted(declared, shape)
        cost = 0.85 if problem.rule == "input-axis" else 1.6
        # Another `Input` that the model receives may be wrong as well: the model may be shared.
        shared = _called_before(case, problem.layer) or (data is None and _is_input(case, operand))
        cost += 0.45 * (turned + shared)
        title = changed(declared.file, declared.node, new)
        reason = f"the data has the shape {_spelled(shape[1:])} per example"
        edits = [replace(declared.file, declared.node, new)]
        yield repair(case, "input-shape", title, edits, cost, reason)
        if data is not None and isinstance(data.node, ast.Name) and data.file is declared.file:
            yield from _computed(case, data.node, declared, shape, cost + 0.3)


def _is_input(case: Case, operand: Operand) -> bool:
    layer = operand.layer
    return case.operands.is_input(operand) or (
        layer >= 0 and case.crash.layers[layer].type == "InputLayer"
    )


def _with_channel(case: Case, problem: Problem, shape: Shape) -> Iterator[Repair]:
    """Yield one axis of size 1 more, for a layer that is built for too few axes."""
    more = problem.facts.get("want") == len(shape) + 1
    if not more and problem.facts.get("want") != len(shape) - 1:
        return
    for declared in declarations(case, problem.layer):
        new = _one_more(declared, shape) if more else without_batch(declared)
        if new:
            edits = [replace(declared.file, declared.node, new)]
            title = changed(declared.file, declared.node, new)
            reason = f"the layer needs {problem.facts.get('want')} axes with the batch"
            yield repair(case, "input-shape", title, edits, 1.0, reason)


def _one_more(declared: Declared, shape: Shape) -> str:
    node = declared.node
    if isinstance(node, ast.Tuple | ast.List) and node.elts:
        parts = ", ".join([*(raw(declared.file, item) for item in node.elts), "1"])
        return f"({parts})" if isinstance(node, ast.Tuple) else f"[{parts}]"
    return written(declared, (*shape, 1)) or ""


def without_batch(declared: Declared) -> str:
    """Return a declared shape without its first size, which is the number of examples."""
    node = declared.node
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return f"{raw(declared.file, node)}[1:]"
    if isinstance(node, ast.Tuple | ast.List) and len(node.elts) > 1:
        parts = [raw(declared.file, item) for item in node.elts[1:]]
        comma = "," if len(parts) == 1 else ""
        listed = ", ".join(parts)
        return f"({listed}{comma})" if isinstance(node, ast.Tuple) else f"[{listed}]"
    return ""


def _unchecked(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield the shape of the data, if a recurrent model was built for another one."""
    data = places.data(case, "x")
    shape = _data_shape(case, data)
    if data is None or shape is None or problem.layer < 0:
        return
    if case.crash.layers[problem.layer].own:
        return
    for declared in declarations(case, problem.layer):
        new = written(declared, shape)
        if new is not None and new != ast.unparse(declared.node) and _count(declared) == len(shape):
            title = changed(declared.file, declared.node, new)
            reason = f"the data has the shape {_spelled(shape[1:])} per example"
            edits = [replace(declared.file, declared.node, new)]
            yield repair(case, "input-shape", title, edits, 0.9, reason)


def _count(declared: Declared) -> int:
    """Return the number of axes that are declared, with the batch."""
    node = declared.node
    elements = len(node.elts) if isinstance(node, ast.Tuple | ast.List) else 1
    return elements + (declared.name in WITHOUT_BATCH)


def declarations(case: Case, layer: int) -> Iterator[Declared]:
    """Yield the declared input shapes of a layer and its models, in the order of the source."""
    layers = [layer] if layer >= 0 else []
    for model in places.models_of(case, layer):
        layers += case.crash.layers[model].sublayers
    if not layers or layer < 0:
        layers = list(range(len(case.crash.layers)))
    seen: set[ast.expr] = set()
    for number in dict.fromkeys(layers):
        for site in case.crash.layers[number].created:
            if site.file in case.crash.files:
                for call in case.sources[site.file].calls_at(site):
                    every = _of_call(case.sources[site.file], call, dict(site.values))
                    yield from _unseen(every, seen)
    if not seen:
        for name in case.crash.files:
            for call in case.sources[name].calls:
                yield from _unseen(_of_call(case.sources[name], call, {}), seen)


def _unseen(every: Iterator[Declared], seen: set[ast.expr]) -> Iterator[Declared]:
    for declared in every:
        if declared.node not in seen:
            seen.add(declared.node)
            yield declared


def _of_call(file: SourceFile, call: ast.Call, values: dict[str, int]) -> Iterator[Declared]:
    for keyword in call.keywords:
        if keyword.arg in (*WITHOUT_BATCH, *WITH_BATCH) and _literal(keyword.value):
            yield Declared(file, keyword.value, keyword.arg, values)
    function = ast.unparse(call.func).rpartition(".")[2]
    if function in ("Input", "InputLayer"):
        node = argument(call, "shape", 0)
        if node is not None and node in call.args:
            yield Declared(file, node, "shape", values)


def _literal(node: ast.expr) -> bool:
    shape = isinstance(node, ast.Attribute) and node.attr == "shape"
    return shape or not isinstance(node, ast.Attribute | ast.Subscript)


def _data_shape(case: Case, data: places.Datum | None) -> Shape | None:
    if data is None or data.value is None:
        return None
    return data.value.shape if data.value.kind is not ValueKind.DATASET else None


def written(declared: Declared, shape: Shape) -> str | None:
    """Return the text that declares a shape with the batch, None if it cannot be written there."""
    sizes = shape if declared.name in WITH_BATCH else shape[1:]
    if declared.name == "input_dim":
        return str(shape[1]) if len(shape) == 2 else None
    node = declared.node
    old = node.elts if isinstance(node, ast.Tuple | ast.List) else None
    parts = []
    for at, size in enumerate(sizes):
        keeps = old is not None and len(old) == len(sizes)
        text = ast.unparse(old[at]) if keeps and old is not None else ""
        same = declared.name in WITH_BATCH and at == 0
        if keeps and old is not None and evaluated(old[at], declared.values or {}) == size:
            same = True
        if keeps and (same or text in ("None", str(size)) or (size is None and text)):
            parts.append(text)
        else:
            parts.append(str(size))
    parts = _named(declared, sizes) or parts
    joined = ", ".join(parts)
    if isinstance(node, ast.List):
        return f"[{joined}]"
    return f"({joined},)" if len(parts) == 1 else f"({joined})"


def _named(declared: Declared, sizes: Shape) -> list[str]:
    """Return the elements of a declared shape in another order, if that is the right one."""
    node = declared.node
    if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) != len(sizes):
        return []
    values = declared.values or {}
    known = [evaluated(item, values) for item in node.elts]
    if None in known or sorted(map(str, known)) != sorted(map(str, sizes)):
        return []
    spelled = {value: ast.unparse(item) for value, item in zip(known, node.elts, strict=True)}
    return [spelled[size] for size in sizes]


def _computed(
    case: Case, data: ast.Name, declared: Declared, shape: Shape, cost: float
) -> Iterator[Repair]:
    """Yield `x.shape[1:]` in place of numbers, where the data is known at that line."""
    statements = [s for s, _ in declared.file.assignments(data.id, declared.node.lineno)]
    scopes = declared.file.scope(declared.node.lineno), declared.file.scope(data.lineno)
    if not statements or scopes[0] is not scopes[1] or declared.name in WITH_BATCH:
        return
    new = f"{data.id}.shape[1]" if declared.name == "input_dim" else f"{data.id}.shape[1:]"
    if declared.name == "input_dim" and len(shape) != 2:
        return
    title = changed(declared.file, declared.node, new)
    yield repair(case, "input-shape", title, [replace(declared.file, declared.node, new)], cost)


def _called_before(case: Case, layer: int) -> bool:
    """Return whether a model has accepted another tensor of the graph before."""
    nodes = case.crash.nodes
    return layer >= 0 and any(n.kind is NodeKind.LAYER and n.layer == layer for n in nodes)


def _fits(case: Case, problem: Problem, rank: int) -> bool:
    """Return whether the layer at fault, or the first one of the model, accepts a rank."""
    layer = problem.layer
    if layer < 0:
        return True
    record = case.crash.layers[layer]
    if record.sublayers:
        inner = [
            case.crash.layers[n]
            for n in record.sublayers
            if case.crash.layers[n].type != "InputLayer"
        ]
        record = inner[0] if inner else record
    return rank in RANKS.get(record.type, range(rank, rank + 1))


def _is_permuted(declared: Declared, shape: Shape) -> bool:
    """Return whether the declared sizes are those of the data in another order."""
    node = declared.node
    if not isinstance(node, ast.Tuple | ast.List):
        return False
    known = [evaluated(item, declared.values or {}) for item in node.elts]
    return sorted(map(str, known)) == sorted(map(str, shape[1:]))


def _spelled(sizes: Shape) -> str:
    texts = ["?" if size is None else str(size) for size in sizes]
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
