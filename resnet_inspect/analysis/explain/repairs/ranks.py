"""Adds axes of size 1 to the tensor of lower rank, so that two tensors can be broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.graph.crash import Shape


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `x[:, None]` and the like for an elementwise op of tensors of different rank."""
    if (
        problem.rule not in ("broadcast-rank", "broadcast", "array-broadcast")
        or len(problem.operands) < 2
    ):
        return
    first, second = problem.operands[:2]
    if first.shape is None or second.shape is None or len(first.shape) == len(second.shape):
        return
    higher, lower = sorted((first, second), key=lambda o: len(o.shape or ()), reverse=True)
    for at, added in enumerate(fitting(higher.shape or (), lower.shape or ())):
        yield from _indexed(case, lower, added, 0.9 + 0.2 * at)


def fitting(higher: Shape, lower: Shape) -> Iterator[tuple[int, ...]]:
    """Yield places of new axes with which `lower` can be broadcast to `higher`, equal sizes first.

    Places after the equal leading axes are preferred: those of a mask or of weights of a batch.
    """
    choices = []
    for added in combinations(range(len(higher)), len(higher) - len(lower)):
        sizes = iter(lower)
        shape = [1 if at in added else next(sizes) for at in range(len(higher))]
        # An unknown size is the batch, which a known size does not fit.
        if all(a in (b, 1) or b == 1 for a, b in zip(shape, higher, strict=True)):
            choices.append(added)
    yield from sorted(choices, key=lambda added: [-at for at in added])


def _indexed(case: Case, operand: Operand, added: tuple[int, ...], cost: float) -> Iterator[Repair]:
    frame = operand.frame if operand.frame >= 0 else case.frame
    text = operand.expression or operand.label
    if frame < 0 or not text:
        return
    site = case.crash.frames[frame].site
    file = case.sources[site.file]
    nodes = [node for node in file.expressions_at(site) if file.segment(node) == text]
    inner = [
        node
        for outer in file.expressions_at(site)
        for node in file.inside(outer)
        if file.segment(node) == text
    ]
    for node in (*nodes, *inner)[:1]:
        index = _index(added, len(operand.shape or ()) + len(added))
        new = f"{raw(file, node)}[{index}]"
        title = f"{raw(file, node)} → {new}"
        yield repair(case, "broadcast-axes", title, [replace(file, node, new)], cost)


def _index(added: tuple[int, ...], rank: int) -> str:
    """Return an index with new axes at some places, such as `:, None` and `..., None`."""
    if added == tuple(range(rank - len(added), rank)):
        return "..., " + ", ".join("None" for _ in added)
    parts = ["None" if at in added else ":" for at in range(max(added) + 1)]
    return ", ".join(parts)
