"""Lets tensors meet that were halved and doubled: sizes that divide, zero padding, cropping."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.repairs import idioms, places
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace, wrap
from resnet_inspect.analysis.explain.sources import SourceFile
from resnet_inspect.graph.crash import Shape

MERGES = ("Concatenate", "Add", "Average", "Maximum", "Multiply", "Subtract")
MOST_DIFFERENCE = 3  # of heights or widths that are padded or cropped
RULES = ("concat", "broadcast", "merge")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield repairs of two images whose heights or widths differ a little."""
    if problem.rule not in RULES or len(sides) != 2 or len(problem.operands) < 2:
        return
    a, b = (sized.side.operand.shape for sized in sides)
    if a is None or b is None or len(a) != len(b) or len(a) not in (3, 4, 5):
        return
    axes = range(1, len(a) - 1)
    if not any(x and y and x != y for x, y in (_pair(a, b, at) for at in axes)):
        return
    if problem.rule == "broadcast" and len(a) == 4 and a[1:] != b[1:]:
        yield from _projected(case, a, b)
    if all(abs((a[at] or 0) - (b[at] or 0)) <= MOST_DIFFERENCE for at in axes):
        yield from _matched(case, a, b)
        yield from _divisible(case)


def _projected(case: Case, a: Shape, b: Shape) -> Iterator[Repair]:
    """Yield a convolution of the shortcut, if the other branch has a stride or more channels."""
    tensors = merged(case)
    if tensors is None or len(a) != 4 or len(tensors[1]) < 2:
        return
    file, nodes = tensors
    near = layer_near(file, nodes[0])
    larger = 0 if (a[1] or 0) > (b[1] or 0) else 1
    if a[1] == b[1]:
        larger = 1
    big, small = (a, b) if larger == 0 else (b, a)
    if None in (big[1], small[1], small[3]) or (big[1] or 1) % (small[1] or 1):
        return
    node, other = nodes[larger], nodes[1 - larger]
    stride = (big[1] or 1) // (small[1] or 1)
    spelled, imports = idioms.layer(file, "Conv2D", near)
    first, second = raw(file, node), raw(file, other)
    strides = f"{first}.shape[1] // {second}.shape[1]" if stride > 1 else "1"
    new = f'{spelled}({second}.shape[-1], 1, strides={strides}, padding="same")'
    title = f"{first} → Conv2D({small[3]}, 1, strides={stride})({first})"
    reason = f"the other branch has the shape {small[1:]}"
    edits = (*imports, *wrap(file, node, f"{new}(", ")"))
    yield repair(case, "project-shortcut", title, edits, 0.95, reason)


def _pair(a: Shape, b: Shape, at: int) -> tuple[int | None, int | None]:
    return a[at], b[at]


def merged(case: Case) -> tuple[SourceFile, list[ast.expr]] | None:
    """Return the tensors in the source of a merge layer or of `concat` that fails."""
    if not case.crash.frames:
        return None
    site = case.crash.frames[-1].site
    file = case.sources[site.file]
    for call in file.calls_at(site):
        for argument in [*call.args, *(k.value for k in call.keywords)]:
            elements = argument.elts if isinstance(argument, ast.List | ast.Tuple) else []
            numbers = any(isinstance(item, ast.Constant) for item in elements)
            if len(elements) > 1 and not numbers:
                return file, list(elements)
    return None


def _matched(case: Case, a: Shape, b: Shape) -> Iterator[Repair]:
    """Yield padding of the smaller tensor, and cropping of the larger one."""
    tensors = merged(case)
    if tensors is None:
        return
    file, nodes = tensors
    names = {3: "1D", 4: "2D", 5: "3D"}
    differences = [(b[at] or 0) - (a[at] or 0) for at in range(1, len(a) - 1)]
    if all(d >= 0 for d in differences) or all(d <= 0 for d in differences):
        smaller, larger = (0, 1) if sum(differences) > 0 else (1, 0)
        parts = [f"({abs(d) // 2}, {abs(d) - abs(d) // 2})" for d in differences]
        listed = f"({', '.join(parts)})" if len(parts) > 1 else parts[0]
        near = layer_near(file, nodes[0])
        for at, name, cost in ((smaller, "ZeroPadding", 1.45), (larger, "Cropping", 1.55)):
            if at >= len(nodes):
                continue
            spelled, imports = idioms.layer(file, f"{name}{names[len(a)]}", near)
            new = f"{spelled}({listed})"
            text = raw(file, nodes[at])
            title = f"{text} → {name}{names[len(a)]}({listed})({text})"
            edits = (*imports, *wrap(file, nodes[at], f"{new}(", ")"))
            yield repair(case, "match-sizes", title, edits, cost)


def layer_near(file: SourceFile, node: ast.expr) -> ast.expr | None:
    """Return the class of the layer that is called on a list with a node."""
    parent = file.parents.get(file.parents.get(node, node))
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Call):
        return parent.func.func
    return None


def _divisible(case: Case) -> Iterator[Repair]:
    """Yield an input whose height and width can be halved as often as the model does."""
    halvings = 1
    for layer in case.crash.layers:
        stride = layer.settings.get("strides")
        pool = layer.type.startswith(("MaxPooling", "AveragePooling"))
        if pool or (layer.type.startswith("Conv") and "Transpose" not in layer.type):
            first = stride[0] if isinstance(stride, tuple) and stride else 1
            halvings *= first if isinstance(first, int) and first > 1 else 1
    for layer in case.crash.layers:
        if layer.type != "InputLayer" or layer.output is None or halvings < 2:
            continue
        for size in dict.fromkeys(s for s in layer.output[1:-1] if s and s % halvings):
            for number in range(len(case.crash.layers)):
                if case.crash.layers[number] is layer:
                    yield from _resized(case, number, size, -(-size // halvings) * halvings)


def _resized(case: Case, number: int, size: int, new: int) -> Iterator[Repair]:
    """Yield the change of the expression that gives an input its size."""
    origin = case.origins.of(case.operands.of_layer(number), 1, size)
    if origin.node is None or not origin.exact:
        return
    file = case.sources[origin.file]
    edits = [replace(file, origin.node, str(new))]
    title = changed(file, origin.node, str(new))
    beside = file.parents.get(origin.node)
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            continue
        if (
            node.value == size
            and node is not origin.node
            and (_in_shape(file, node) or file.parents.get(node) is beside is not None)
        ):
            edits.append(replace(file, node, str(new)))
    reason = f"{new} can be halved as often as the model does, {size} cannot"
    yield repair(case, "divisible-size", title, edits, 1.4, reason)


def _in_shape(file: SourceFile, node: ast.AST) -> bool:
    """Return whether a number is a size of an array, a shape or an image."""
    parent = file.parents.get(node)
    while isinstance(parent, ast.Tuple | ast.List | ast.keyword):
        parent = file.parents.get(parent)
    if isinstance(parent, ast.Call):
        name = ast.unparse(parent.func).rpartition(".")[2]
        return name in places.SHAPED or name.startswith(("Input", "rand"))
    return False
