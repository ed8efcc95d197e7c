"""Keeps the heights and widths of images: `padding="same"`, smaller windows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import Sides, changed, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace, set_argument
from resnet_inspect.analysis.explain.sources import argument

WINDOWS = {"Conv": ("kernel_size", 1), "Max": ("pool_size", 0), "Average": ("pool_size", 0)}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield padding of layers that shrink images too much."""
    if problem.rule == "window-size":
        yield from _padded_op(case, problem)
        if problem.layer >= 0:
            yield from _padded(case, [problem.layer], 0.9)
            yield from _smaller(case, problem)
    if problem.rule in ("loss-shape", "concat", "broadcast") and len(problem.operands) > 1:
        yield from _kept_sizes(case, problem)


def _kept_sizes(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield padding of the convolutions on the way to images of different sizes."""
    shapes = [operand.shape or () for operand in problem.operands[:2]]
    images = len(shapes[0]) == len(shapes[1]) and len(shapes[0]) in (3, 4, 5)
    if not images or shapes[0][1:-1] == shapes[1][1:-1]:
        return
    chains = [places.chain(case, operand) for operand in problem.operands[:2]]
    small = 0 if sum(s or 0 for s in shapes[0][1:-1]) < sum(s or 0 for s in shapes[1][1:-1]) else 1
    # Layers of the smaller image alone come first: padding of common ones changes both.
    ordered = [layer for layer in chains[small] if layer not in chains[1 - small]]
    ordered += [layer for layer in (*chains[small], *chains[1 - small]) if layer not in ordered]
    layers = [layer for layer in dict.fromkeys(ordered) if _is_valid(case, layer)]
    if len(layers) > 1:
        yield from _padded(case, layers, 1.1)
    for at, layer in enumerate(layers[:3]):
        yield from _padded(case, [layer], 1.0 + 0.02 * at)


def _is_valid(case: Case, layer: int) -> bool:
    record = case.crash.layers[layer]
    windowed = record.type.startswith(("Conv", "SeparableConv", "DepthwiseConv"))
    return windowed and record.settings.get("padding") == "valid"


def _padded(case: Case, layers: list[int], cost: float) -> Iterator[Repair]:
    edits: list[Edit] = []
    title = ""
    for layer in layers:
        made = places.creation(case, layer)
        if made is None:
            return
        edits.append(set_argument(made.file, made.call, "padding", '"same"'))
        name = ast.unparse(made.call.func).rpartition(".")[2]
        given = ", ".join(raw(made.file, item) for item in made.call.args[:2])
        title = title or f'{name}({given}) → {name}({given}, padding="same")'
    if edits:
        more = f", and {len(edits) - 1} more" if len(edits) > 1 else ""
        reason = "the window does not fit into the image"
        yield repair(case, "padding", title + more, edits, cost, reason if len(edits) == 1 else "")


def _padded_op(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield `SAME` in place of `VALID` in the call of an op."""
    failing = places.failing_call(case, problem)
    if failing is None or not isinstance(failing.node, ast.Call):
        return
    for node in ast.walk(failing.node):
        if isinstance(node, ast.Constant) and node.value in ("VALID", "valid"):
            quote = raw(failing.file, node)[:1]
            new = "SAME" if node.value == "VALID" else "same"
            edits = [replace(failing.file, node, f"{quote}{new}{quote}")]
            title = f"padding {raw(failing.file, node)} → {quote}{new}{quote}"
            yield repair(case, "padding", title, edits, 0.9)


def _smaller(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield a window that is as large as the image."""
    made = places.creation(case, problem.layer)
    size = problem.sides[0].size if problem.sides else 0
    if made is None or size < 1:
        return
    kind = case.crash.layers[problem.layer].type
    for prefix, (name, at) in WINDOWS.items():
        node = argument(made.call, name, at) if kind.startswith(prefix) else None
        if node is not None:
            count = len(node.elts) if isinstance(node, ast.Tuple | ast.List) else 0
            new = f"({', '.join([str(size)] * count)})" if count else str(size)
            title = changed(made.file, node, new)
            yield repair(case, "smaller-window", title, [replace(made.file, node, new)], 1.5)
