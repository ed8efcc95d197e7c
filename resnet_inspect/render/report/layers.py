"""The page's panels of layers: facts, and why each axis of the output has its size.

Ways back share most of their steps, so the page holds each step once, with the number of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from resnet_inspect.analysis.proof import ProofRow
from resnet_inspect.analysis.report import LayerReport, Report
from resnet_inspect.analysis.why import ChainStep, Explanation
from resnet_inspect.graph.lineage import Relation
from resnet_inspect.render import spelling
from resnet_inspect.render.report.sections import meaning, pairs
from resnet_inspect.render.shape_table import flow, window
from resnet_inspect.render.why_page import how_made, origin_lines

END = -1


class Panels:
    """What the panels hold: `layers`, and the steps of ways and the proofs that they share.

    A step is [size, place, how, layer, derived, next]; `next` is END where the way begins.
    """

    def __init__(self, found: Report) -> None:
        self.steps: list[list[Any]] = []
        self.proofs: list[list[list[Any]]] = []
        self._step_at: dict[int, int] = {}
        self._proof_at: dict[tuple[ProofRow, ...], int] = {}
        self.layers = [self._layer(one) for one in found.layers]

    def _layer(self, one: LayerReport) -> dict[str, Any]:
        row = one.row
        return {
            "name": one.layer.name,
            "type": one.layer.type,
            "path": list(one.layer.path),
            "shape": spelling.shape(row.shape),
            "facts": pairs(_facts(one))["pairs"],
            "before": list(one.before),
            "after": list(one.after),
            "normalized": one.normalized,
            "axes": [
                self._axis(axis, name)
                for axis, name in zip(one.axes, row.axes or [""] * len(one.axes), strict=True)
            ],
        }

    def _axis(self, found: Explanation, named: str) -> dict[str, Any]:
        return {
            "axis": found.axis,
            "meaning": named,
            "size": spelling.size_text(found.size),
            "formula": "" if found.formula is None else found.formula.text,
            "facts": pairs(origin_lines(found))["pairs"],
            "inflow": bool(found.inflow),
            "way": self._way(found.inflow or found.chain),
            "proof": self._proof(found.proof),
        }

    def _way(self, steps: Sequence[ChainStep]) -> int:
        """The number of the first step; those that are not there yet are added."""
        after = END
        following = [*pairwise(steps), (steps[-1], None)]
        for step, before in reversed(following):
            known = self._step_at.get(id(step))
            if known is None:
                known = self._step_at[id(step)] = len(self.steps)
                self.steps.append(_step(step, before, after))
            after = known
        return after

    def _proof(self, rows: tuple[ProofRow, ...]) -> int:
        if rows not in self._proof_at:
            self._proof_at[rows] = len(self.proofs)
            self.proofs.append([_proof_row(row) for row in rows])
        return self._proof_at[rows]


def _step(step: ChainStep, before: ChainStep | None, after: int) -> list[Any]:
    how = "begins here" if before is None else how_made(step, before)
    if step.rivals:
        how += f"; must equal {', '.join(step.rivals)}"
    derived = before is not None and before.relation == Relation.DERIVED
    return [spelling.size_text(step.size), step.place, how, step.layer, int(derived), after]


def _proof_row(row: ProofRow) -> list[Any]:
    after = "–" if row.moved is None else spelling.size_text(row.size_after)
    return [
        row.setting,
        f"{row.before} → {row.after}",
        f"{spelling.size_text(row.size_before)} → {after}",
        {None: "?", True: "yes", False: "no"}[row.moved],
        row.note,
    ]


def _facts(one: LayerReport) -> Iterator[tuple[str, str]]:
    row = one.row
    yield "shapes", flow(row)
    if meaning(row):
        yield "axes", meaning(row)
    yield "type", f"{row.type}, {row.dtype}"
    if row.window is not None:
        yield "window", window(row.window) + "  (kernel/stride, padding before+after)"
    if row.params:
        yield "parameters", f"{row.params:,}, {row.trainable_params:,} of them trainable"
    if row.macs:
        yield "MACs", f"{spelling.count(row.macs)} an example"
    yield "memory", f"{spelling.size(row.memory)} for the output"
    for variable in one.variables:
        kept = "" if variable.trainable else ", not trained"
        yield "variable", f"{variable.name}  {spelling.shape(variable.spec.shape)}{kept}"
    for place in one.source:
        yield "line", f"{spelling.path(place.file)}:{place.line} in {place.function}"
        yield "", place.text
    yield (
        "ops",
        f"{len(one.layer.ops)}: "
        + ", ".join(one.layer.ops[:6])
        + (f", … {len(one.layer.ops) - 6} more" if len(one.layer.ops) > 6 else ""),
    )
