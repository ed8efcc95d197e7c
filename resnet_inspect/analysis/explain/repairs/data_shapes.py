"""Changes the shape of data where they are passed: a batch axis, a channel axis, flat rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import permutations
from math import prod

from resnet_inspect.analysis.explain.case import WITHOUT_BATCH, Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.analysis.explain.repairs import arrays, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import INPUTS, Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import Shape, ValueKind

RANKS = (*WITHOUT_BATCH, "input-rank")
TRAINERS = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changes of the data that a model, a layer or a placeholder rejects."""
    if problem.rule not in (*INPUTS, "feed") or not problem.operands:
        return
    data = _received(case, problem)
    if data is None or (data.value is not None and data.value.kind is ValueKind.DATASET):
        return
    got, want = _shapes(case, problem, data)
    if got is None:
        return
    several = case.crash.during == "fit" and len(got) > 1
    for new, cost, keeps in changes(Array(data.file, data.node, data.value), got, want, problem):
        if several and new.endswith("[None]"):
            continue  # a training has more than one example
        edits = [arrays.edit(Array(data.file, data.node, data.value), new)]
        edits += [
            arrays.edit(other, text)
            for other in _alike(case, data)
            if (text := _same_change(other, got, want, problem, new, data))
        ]
        if problem.rule == "feed":
            edits += places.same_feeds(data, new)
        edits += _other_feeds(case, problem, data)
        title = f"{ast.unparse(data.node)} → {new}"
        reason = f"the data has the shape {spelled(got)}"
        yield repair(case, "data-shape", title, edits, cost, reason, keeps_batch=keeps)


def _other_feeds(case: Case, problem: Problem, data: places.Datum) -> list[Edit]:
    """Return the changes of the other values of a feed that do not fit their placeholders."""
    edits: list[Edit] = []
    if problem.rule != "feed":
        return edits
    for node in case.crash.nodes:
        fed = places.fed_by_session(case, node.name) if node.kind == "placeholder" else None
        want = node.shapes[0] if node.shapes else None
        if fed is None or fed.node is data.node or want is None or fed.value is None:
            continue
        number = fed.value.kind is ValueKind.NUMBER
        array = Array(fed.file, fed.node, fed.value)
        shape = () if number else fed.value.shape
        if shape is None or _equal(shape, want) or len(shape) == len(want):
            continue
        best = min(changes(array, shape, want, problem), key=lambda change: change[1], default=None)
        if best is not None:
            edits.append(arrays.edit(array, best[0]))
    return edits


def _received(case: Case, problem: Problem) -> places.Datum | None:
    """Return the data that arrive at the layer, model or placeholder of a problem."""
    if problem.rule == "feed":
        return places.fed_by_session(case, str(problem.facts.get("name", "")))
    operand = places.received(problem)
    data = places.datum(case, operand)
    if data is not None:
        return data
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call) or not failing.node.args:
        return None
    node = failing.node.args[0]
    value = places.value_of(case, failing.frame, node)
    if isinstance(node, ast.Call) and value is None:
        return None
    return places.Datum(failing.file, node, failing.frame, value)


def _shapes(
    case: Case, problem: Problem, data: places.Datum
) -> tuple[Shape | None, tuple[int | None, ...] | int | None]:
    """Return the shape of the data, and the shape or rank that is needed."""
    operand = places.received(problem)
    got = operand.shape
    if problem.rule == "feed" and len(problem.operands) > 1:
        return got, problem.operands[1].shape
    if data.value is not None and data.value.shape is not None:
        got = data.value.shape
    shape = problem.facts.get("shape")
    expected = problem.sides[1].operand.shape if len(problem.sides) > 1 else None
    shape = shape if isinstance(shape, tuple) else expected
    if isinstance(shape, tuple) and problem.rule in RANKS:
        return got, shape
    built = case.crash.layers[problem.layer].built_for if problem.layer >= 0 else None
    if built is not None and problem.rule == "input-axis":
        return got, built
    want = problem.facts.get("want") if problem.rule in RANKS else None
    return got, want if isinstance(want, int) else None


def changes(
    array: Array, got: Shape, want: tuple[int | None, ...] | int | None, problem: Problem
) -> Iterator[tuple[str, float, bool]]:
    """Yield expressions with the needed shape or rank, their costs, and whether axis 0 stays."""
    rank = want if isinstance(want, int) else len(want or ())
    sizes = want if isinstance(want, tuple) else None
    if rank == len(got) + 1:
        yield from _one_more(array, got, sizes, rank)
    if sizes is not None:
        yield from _fitted(array, got, sizes)
    if rank < len(got) and rank > 0:
        yield from _fewer(array, got, sizes, rank)
    if want == () and got == (1,):
        listed = array.node.elts if isinstance(array.node, ast.List | ast.Tuple) else []
        yield raw(array.file, listed[0]) if listed else f"{array.text}[0]", 0.8, True


def _one_more(
    array: Array, got: Shape, sizes: tuple[int | None, ...] | None, rank: int
) -> Iterator[tuple[str, float, bool]]:
    single = sizes is not None and got == sizes[1:]
    if single:
        yield arrays.expanded(array, 0), 0.8, True
    if sizes is None or (sizes[-1] in (1, None) and _equal(got[1:], sizes[1:-1])):
        yield arrays.expanded(array, -1), 1.3, True
    if rank == 3 and (sizes is None or sizes[1] in (1, None)):
        yield arrays.expanded(array, 1), 1.6, True
    if not single and sizes is None:
        yield arrays.expanded(array, 0), 2.5 if len(got) > 1 else 1.2, True


def _fitted(
    array: Array, got: Shape, sizes: tuple[int | None, ...]
) -> Iterator[tuple[str, float, bool]]:
    """Yield a reshape or another order of the axes, if the numbers of elements agree."""
    rest = sizes[1:]
    if len(got) == 2 and None not in sizes and got[::-1] == sizes and got != sizes:
        yield arrays.transposed(array, (1, 0)), 0.9, True
        return
    if (
        len(got) == len(sizes)
        and sorted(map(str, got[1:])) == sorted(map(str, rest))
        and got[1:] != rest
    ):
        for order in permutations(range(1, len(got))):
            if tuple(got[at] for at in order) == rest:
                yield arrays.transposed(array, (0, *order)), 0.9, True
                return
    if None in rest or not rest:
        return
    total = prod(size or 1 for size in rest)
    known = [size for size in got if size is not None]
    if None not in got[1:] and prod(size or 1 for size in got[1:]) == total and got[1:] != rest:
        new = arrays.reshaped(array, (-1, *(size or 1 for size in rest)))
        yield new, 0.9, True
    elif len(known) == len(got) and prod(known) == total and len(got) != len(sizes) - 1:
        new = arrays.reshaped(array, (1, *(size or 1 for size in rest)))
        yield new, 1.0, True
    elif len(known) == len(got) and total and prod(known) % total == 0 and len(got) < len(sizes):
        yield arrays.reshaped(array, (-1, *(size or 1 for size in rest))), 1.6, False


def _fewer(
    array: Array, got: Shape, sizes: tuple[int | None, ...] | None, rank: int
) -> Iterator[tuple[str, float, bool]]:
    for axis, size in enumerate(got):
        left = got[:axis] + got[axis + 1 :]
        if size == 1 and len(left) == rank and (sizes is None or _equal(left[1:], sizes[1:])):
            yield arrays.squeezed(array, axis, len(got)), 0.9 if axis else 1.5, axis > 0
    if rank == 2 and sizes is None and None not in got[1:]:
        yield arrays.reshaped(array, (-1, prod(size or 1 for size in got[1:]))), 1.2, True


def _equal(sizes: Shape, others: tuple[int | None, ...]) -> bool:
    return len(sizes) == len(others) and all(
        a == b or a is None or b is None for a, b in zip(sizes, others, strict=True)
    )


def _alike(case: Case, data: places.Datum) -> Iterator[Array]:
    """Yield the same kind of data in other calls of `fit`, `evaluate` and `predict`."""
    matched = places.trainer_call(case)
    if matched is None:
        return
    _, file, call = matched
    at = "x" if argument(call, "x", 0) is data.node else "y"
    model = ast.unparse(call.func).rpartition(".")[0]
    for other in [call, *file.calls]:
        owner, _, method = ast.unparse(other.func).rpartition(".")
        if owner == model and method in TRAINERS:
            nodes = [argument(other, at, {"x": 0, "y": 1}[at])] if other is not call else []
            validation = argument(other, "validation_data")
            if isinstance(validation, ast.Tuple) and len(validation.elts) > 1:
                nodes.append(validation.elts[at == "y"])
            for node in nodes:
                if node is not None:
                    value = places.value_of(case, data.frame, node)
                    if value is not None and value.shape is not None:
                        yield Array(file, node, value)


def _same_change(
    other: Array,
    got: Shape,
    want: tuple[int | None, ...] | int | None,
    problem: Problem,
    new: str,
    data: places.Datum,
) -> str:
    """Return the same change of other data, empty if these have another shape."""
    shape = other.value.shape if other.value is not None else None
    if shape is None or len(shape) != len(got) or shape[1:] != got[1:]:
        return ""
    array = Array(data.file, data.node, data.value)
    mine = [text for text, _, _ in changes(array, got, want, problem)]
    others = [text for text, _, _ in changes(other, shape, want, problem)]
    return others[mine.index(new)] if len(mine) == len(others) else ""
