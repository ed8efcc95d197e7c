"""Changes the target of a reshape so that it has as many elements as the tensor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from math import prod

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import (
    SourceFile,
    argument,
    evaluated,
    giving,
)
from resnet_inspect.graph.crash import Shape, Site

RULES = ("reshape-total", "reshape-batch", "reshape-layer", "array-reshape")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changed elements of the target shape."""
    if problem.rule not in RULES:
        return
    have, want = problem.facts.get("have"), problem.facts.get("want")
    matched = target(case, problem)
    if matched is None or not isinstance(have, int) or not isinstance(want, int) or not want:
        return
    file, elements, values, layer = matched
    shape = problem.operands[0].shape if problem.operands else None
    before = problem.facts.get("shape")  # of what the reshape receives, if a later op failed
    shape = before if isinstance(before, tuple) else shape
    yield from _elements(case, file, elements, values, shape, have, want, layer=layer)
    if problem.rule in ("reshape-batch", "reshape-total") and not layer:
        yield from _everywhere(case, elements, shape, want)
        yield from _with_weights(case, problem, file, elements, shape, want)
    if problem.rule == "reshape-total" and not layer:
        yield from _aligned(case, file, elements, values, shape)
    yield from _definition(case, file, elements, values, shape, have, want)


def _aligned(
    case: Case,
    file: SourceFile,
    elements: list[ast.expr],
    values: dict[str, int],
    shape: Shape | None,
) -> Iterator[Repair]:
    """Yield the sizes of the tensor for a target that only adds axes of size 1 at the end."""
    sizes = [evaluated(element, values) for element in elements]
    if shape is None or None in shape or len(elements) < len(shape):
        return
    if any(size != 1 for size in sizes[len(shape) :]) or -1 in sizes:
        return
    pairs = zip(elements, sizes, shape, strict=False)
    edits = [replace(file, element, str(new)) for element, old, new in pairs if old != new]
    if len(edits) > 1:
        before = ", ".join(ast.unparse(element) for element in elements)
        after = ", ".join(map(str, (*shape, *sizes[len(shape) :])))
        reason = "the target keeps the sizes of the tensor"
        yield repair(case, "reshape-target", f"[{before}] → [{after}]", edits, 0.7, reason)


def target(
    case: Case, problem: Problem
) -> tuple[SourceFile, list[ast.expr], dict[str, int], bool] | None:
    """Return the elements of the target shape, the integers known there, and if it is a layer's."""
    if problem.rule == "reshape-layer":
        made = places.creation(case, problem.layer)
        if made is None:
            return None
        node = argument(made.call, "target_shape", 0)
        sites = case.crash.layers[problem.layer].created
        known = dict(sites[0].values) if sites else {}
        return _with_elements(made.file, node, known, layer=True)
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call):
        return None
    known = dict(case.crash.frames[failing.frame].site.values) if failing.frame >= 0 else {}
    call = _reshape_call(failing.file, failing.node)
    if call is None:
        return None
    module = {idioms.numpy(failing.file), idioms.tensorflow(failing.file), "K", "ops"} - {""}
    owner = ast.unparse(call.func).rpartition(".")[0]
    function = owner in module or any(owner.startswith(f"{name}.") for name in module)
    items = call.args[1:] if function else call.args
    named = next((k.value for k in call.keywords if k.arg in ("shape", "newshape")), None)
    if named is not None:
        items = [named]
    if len(items) > 1 or (items and not isinstance(items[0], ast.List | ast.Tuple | ast.Name)):
        return failing.file, list(items), known, False
    return _with_elements(failing.file, items[0] if items else None, known, layer=False)


def _reshape_call(file: SourceFile, node: ast.Call) -> ast.Call | None:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "reshape":
            return call
    return None


def _with_elements(
    file: SourceFile, node: ast.expr | None, known: dict[str, int], *, layer: bool
) -> tuple[SourceFile, list[ast.expr], dict[str, int], bool] | None:
    if isinstance(node, ast.Name):
        node = places.resolved(file, node)
    if isinstance(node, ast.List | ast.Tuple):
        return file, node.elts, known, layer
    return None


def _elements(
    case: Case,
    file: SourceFile,
    elements: list[ast.expr],
    values: dict[str, int],
    shape: Shape | None,
    have: int,
    want: int,
    *,
    layer: bool,
) -> Iterator[Repair]:
    """Yield changes of one element that make the total right."""
    sizes = [evaluated(element, values) for element in elements]
    first = 0 if layer else 1
    for at, (element, size) in enumerate(zip(elements, sizes, strict=True)):
        if size is None or size < 1:
            continue
        batch = at < first and len(elements) > 1
        if (size * have) % want == 0 and not batch:
            new = size * have // want
            known = new in (shape or ())[first:]
            text = _written(element, new, shape)
            title = changed(file, element, text)
            reason = f"the tensor has {have:,} elements"
            cost = 0.9 if known else 1.3
            yield repair(
                case, "reshape-target", title, [replace(file, element, text)], cost, reason
            )
    yield from _free_batch(case, file, elements, sizes, have, layer=layer)
    yield from _square(case, file, elements, sizes, have, want)
    rest = [size for size in sizes if size is not None and size > 0]
    if -1 not in sizes and len(rest) == len(sizes):
        for at, element in enumerate(elements):
            others = prod(size or 1 for place, size in enumerate(sizes) if place != at)
            if others and have % others == 0:
                batch = at == 0 and not layer
                title = changed(file, element, "-1")
                cost = 1.4 if at == len(elements) - 1 or batch else 1.8
                yield repair(
                    case,
                    "reshape-target",
                    title,
                    [replace(file, element, "-1")],
                    cost,
                    keeps_batch=True,
                )
    if shape is not None and len(elements) == 2 and None not in shape[1:] and not layer:
        total = prod(size or 1 for size in shape[1:])
        flat = _written(elements[1], total, shape)
        if evaluated(elements[1], values) not in (total, None):
            title = changed(file, elements[1], flat)
            yield repair(case, "reshape-target", title, [replace(file, elements[1], flat)], 0.8)


def _with_weights(
    case: Case,
    problem: Problem,
    file: SourceFile,
    elements: list[ast.expr],
    shape: Shape | None,
    want: int,
) -> Iterator[Repair]:
    """Yield the change of the target and of the weights that its rows are multiplied with."""
    number = problem.facts.get("node", case.crash.op_node)
    if shape is None or len(shape) < 3 or None in shape[1:] or len(elements) != 2:
        return
    total = prod(size or 1 for size in shape[1:])
    edits, title = [], ""
    if evaluated(elements[1], case.origins.environments.at((Site(file.name, 1),))) == want:
        new = _written(elements[1], total, shape)
        edits.append(replace(file, elements[1], new))
        title = changed(file, elements[1], new)
    for node in case.crash.nodes:
        if node.type != "MatMul" or len(node.inputs) < 2 or node.inputs[0] != number:
            continue
        origin = case.origins.of(case.operands.of_node(node.inputs[1]), 0, want)
        if origin.node is None or not origin.exact:
            return
        other = case.sources[origin.file]
        new = _written(origin.node, total, shape)
        edits.append(replace(other, origin.node, new))
        title = title or changed(other, origin.node, new)
    if len(edits) > 1:
        reason = f"an example has {total:,} elements"
        title += f", and {len(edits) - 1} more"
        yield repair(case, "flat-size", title, edits, 0.65, reason)


def _square(
    case: Case,
    file: SourceFile,
    elements: list[ast.expr],
    sizes: list[int | None],
    have: int,
    want: int,
) -> Iterator[Repair]:
    """Yield another height and width of square images."""
    for at, (height, width) in enumerate(pairwise(sizes)):
        if height is None or height != width or height < 2 or (have * height * height) % want:
            continue
        side = round((have * height * height // want) ** 0.5)
        if side * side * want == have * height * height and side != height:
            edits = [replace(file, elements[k], str(side)) for k in (at, at + 1)]
            parts = [raw(file, element) for element in elements]
            title = f"[{', '.join(parts)}]"
            parts[at : at + 2] = [str(side)] * 2
            title += f" → [{', '.join(parts)}]"
            reason = f"the tensor has {have:,} elements per example"
            yield repair(case, "reshape-target", title, edits, 0.85, reason)


def _free_batch(
    case: Case,
    file: SourceFile,
    elements: list[ast.expr],
    sizes: list[int | None],
    have: int,
    *,
    layer: bool,
) -> Iterator[Repair]:
    """Yield a computed batch size, if the other sizes fit the tensor."""
    known = [size for size in sizes[1:] if size is not None]
    if layer or len(known) != len(sizes) - 1 or not known or -1 in sizes:
        return
    if have % prod(known) or have == prod(known):
        return
    reason = "batches can have other sizes"
    title = changed(file, elements[0], "-1")
    edits = [replace(file, elements[0], "-1")]
    yield repair(case, "computed-batch", title, edits, 0.7, reason)
    call = file.parents.get(file.parents.get(elements[0], elements[0]))
    tensorflow = idioms.tensorflow(file)
    if tensorflow and isinstance(call, ast.Call) and call.args:
        new = f"{tensorflow}.shape({raw(file, call.args[0])})[0]"
        title = changed(file, elements[0], new)
        yield repair(case, "computed-batch", title, [replace(file, elements[0], new)], 0.8, reason)


def _everywhere(
    case: Case, elements: list[ast.expr], shape: Shape | None, want: int
) -> Iterator[Repair]:
    """Yield the change of all places that set the size of flat rows, such as weights."""
    if shape is None or len(shape) < 3 or None in shape[1:] or len(elements) != 2:
        return
    total = prod(size or 1 for size in shape[1:])
    edits: list[Edit] = []
    title = ""
    for name in case.crash.files:
        file = case.sources[name]
        module = case.origins.environments.at((Site(name, 1),))
        for node in giving(file.tree, want, module) if want != total else ():
            if isinstance(node, ast.BinOp) or (isinstance(node, ast.Constant) and want > 32):
                text = _written(node, total, shape)
                edits.append(replace(file, node, text))
                title = title or changed(file, node, text)
    if len(edits) > 1 or (edits and not isinstance(elements[1], ast.BinOp | ast.Constant)):
        more = f", and {len(edits) - 1} more" if len(edits) > 1 else ""
        reason = f"an example has {total:,} elements"
        yield repair(case, "flat-size", title + more, edits, 0.6, reason)


def _written(element: ast.expr, size: int, shape: Shape | None) -> str:
    """Return a size as a product of the tensor's sizes, if the element is a product."""
    known = [axis for axis in (shape or ())[1:] if axis is not None]
    if isinstance(element, ast.BinOp) and len(known) > 1 and prod(known) == size:
        return " * ".join(map(str, known))
    return str(size)


def _definition(
    case: Case,
    file: SourceFile,
    elements: list[ast.expr],
    values: dict[str, int],
    shape: Shape | None,
    have: int,
    want: int,
) -> Iterator[Repair]:
    """Yield the change of the assignment of a name in the target."""
    for element in elements:
        if not isinstance(element, ast.Name):
            continue
        size = evaluated(element, values)
        for _, value in file.assignments(element.id, element.lineno):
            if size and evaluated(value, values) == size and (size * have) % want == 0:
                new = str(size * have // want)
                title = changed(file, value, new)
                yield repair(case, "reshape-target", title, [replace(file, value, new)], 1.2)
            break
