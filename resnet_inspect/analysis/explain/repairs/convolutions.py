"""Repairs arguments of convolutions that give strides where a kernel size is meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import Sides, repair
from resnet_inspect.analysis.explain.repairs.edits import raw
from resnet_inspect.analysis.explain.sources import evaluated

RULES = (
    "concat",
    "broadcast",
    "window-size",
    "loss-shape",
    "input-axis",
    "reshape-layer",
    "reshape-total",
)
CLASSES = ("Conv2D", "Conv2DTranspose", "SeparableConv2D")


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield `Conv2D(8, (3, 3))` for `Conv2D(8, 3, 3)`, whose third argument is the stride."""
    if problem.rule not in RULES:
        return
    edits: dict[tuple[str, int, int], Edit] = {}
    title = ""
    for number, layer in enumerate(case.crash.layers):
        made = places.creation(case, number) if layer.type in CLASSES else None
        if made is None or len(made.call.args) < 3:
            continue
        height, width = made.call.args[1:3]
        sizes = evaluated(height, {}), evaluated(width, {})
        if None in sizes or sizes[1] == 1:
            continue
        first, second = raw(made.file, height), raw(made.file, width)
        edit = Edit(
            made.file.name,
            height.lineno,
            height.col_offset,
            width.end_lineno or 0,
            width.end_col_offset or 0,
            f"({first}, {second})",
        )
        edits[edit.file, edit.line, edit.column] = edit
        name = ast.unparse(made.call.func).rpartition(".")[2]
        filters = raw(made.file, made.call.args[0])
        title = title or (
            f"{name}({filters}, {first}, {second}) → {name}({filters}, ({first}, {second}))"
        )
    if edits:
        more = f", and {len(edits) - 1} more" if len(edits) > 1 else ""
        reason = "the third argument is the stride, which divides height and width"
        yield repair(case, "kernel-size", title + more, edits.values(), 0.8, reason)
