"""Explanations of axis sizes, packed for the page: shared parts are stored once.

An axis is [text, path, size, meaning]: its position in `texts`, the position of its path's first
step in `steps`, its size and its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.proof import ProofRow
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph.lineage import Relation
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.why_page import how_ends, how_made, origin_lines
from resnet_inspect.render.report.sections import pairs

END = -1


class SharedExplanations:
    """The shared parts of explanations: texts in `texts`, `steps` of their paths, and `proofs`.

    A step is [size, place, how, layer, derived, next]; `next` is END at the origin of the path.
    """

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.steps: list[list[Any]] = []
        self.proofs: list[list[list[Any]]] = []
        self._text_by_key: dict[Any, int] = {}
        self._text_by_json: dict[bytes, int] = {}
        self._seen: dict[int, int] = {}
        self._step_at: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._proof_at: dict[tuple[ProofRow, ...], int] = {}

    def axes(self, explanations: Sequence[Explanation], named: Sequence[str]) -> list[list[Any]]:
        """The axes of a tensor or variable; `named` are their meanings, if known."""
        meanings = named or [""] * len(explanations)
        return [
            [self._text(axis), self._path(axis), spelling.size_text(axis.size), meaning]
            for axis, meaning in zip(explanations, meanings, strict=True)
        ]

    def _text(self, axis: Explanation) -> int:
        """The position of an axis's text in `texts`; many axes share a text."""
        flow, proof = axis.inflow, self._proof(axis.proof)
        shared = (axis.size, axis.origin, len(axis.chain) > 1, axis.chain[-1].literal, proof)
        formulas = id(axis.formula), id(axis.inflow_formula)
        beside = (axis.reason, id(axis.computed), *formulas, *map(id, axis.couplings))
        flows = (flow[0].place, len(flow), flow[-1].place) if flow else ()
        key = (shared, beside, flows, axis.incoming, axis.outgoing if axis.incoming else None)
        if key not in self._text_by_key:
            entry = {
                "formula": "" if axis.formula is None else axis.formula.text,
                "facts": pairs(origin_lines(axis))["pairs"],
                "inflow": bool(flow),
                "proof": proof,
            }
            text = msgspec.json.encode(entry)
            if text not in self._text_by_json:
                self._text_by_json[text] = len(self.texts)
                self.texts.append(entry)
            self._text_by_key[key] = self._text_by_json[text]
        return self._text_by_key[key]

    def _path(self, axis: Explanation) -> int:
        """The position of the path's first step in `steps`, to which new steps are added."""
        steps = axis.inflow or axis.chain
        after, fresh = END, len(steps)
        for at, step in enumerate(steps):
            known = self._seen.get(id(step))
            if known is not None:
                after, fresh = known, at
                break
        for at in range(fresh - 1, -1, -1):
            step, before = steps[at], steps[at + 1] if at + 1 < len(steps) else None
            key = (step.place, step.rivals, after)
            if key not in self._step_at:
                self._step_at[key] = len(self.steps)
                self.steps.append(_step(step, before, after))
            after = self._seen[id(step)] = self._step_at[key]
        return after

    def _proof(self, rows: tuple[ProofRow, ...]) -> int:
        known = self._seen.get(id(rows))
        if known is None:
            if rows not in self._proof_at:
                self._proof_at[rows] = len(self.proofs)
                self.proofs.append([_proof_row(row) for row in rows])
            known = self._seen[id(rows)] = self._proof_at[rows]
        return known


def _step(step: ChainStep, before: ChainStep | None, after: int) -> list[Any]:
    how = how_ends(step) if before is None else how_made(step, before)
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
