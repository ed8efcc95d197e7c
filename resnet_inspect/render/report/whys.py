"""Why axes have their sizes, as the page holds it: what explanations have in common stands once.

An axis is [told, way, size, meaning]: the numbers of what is told and of its way's first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from resnet_inspect.analysis.sizes.proof import ProofRow
from resnet_inspect.analysis.sizes.why import ChainStep, Explanation
from resnet_inspect.graph.lineage import Relation
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.why_page import how_made, origin_lines
from resnet_inspect.render.report.sections import pairs

END = -1


class Whys:
    """What explanations share: `told` in words, `steps` of their ways, `proofs`.

    A step is [size, place, how, layer, derived, next]; `next` is END where the way begins.
    """

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.steps: list[list[Any]] = []
        self.proofs: list[list[list[Any]]] = []
        self._told_at: dict[Any, int] = {}
        self._text_at: dict[bytes, int] = {}
        self._seen: dict[int, int] = {}
        self._step_at: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._proof_at: dict[tuple[ProofRow, ...], int] = {}

    def axes(self, found: Sequence[Explanation], named: Sequence[str]) -> list[list[Any]]:
        """Each axis of a tensor or variable; `named` is what the axes mean, if that is known."""
        meanings = named or [""] * len(found)
        return [
            [self._told(one), self._way(one), spelling.size_text(one.size), meaning]
            for one, meaning in zip(found, meanings, strict=True)
        ]

    def _told(self, found: Explanation) -> int:
        """The number of what is told of an axis; many axes are told alike."""
        flow, proof = found.inflow, self._proof(found.proof)
        shared = (found.size, found.origin, len(found.chain) > 1, found.chain[-1].literal, proof)
        beside = (id(found.formula), id(found.inflow_formula), *map(id, found.couplings))
        flows = (flow[0].place, len(flow), flow[-1].place) if flow else ()
        key = (shared, beside, flows, found.incoming, found.outgoing if found.incoming else None)
        if key not in self._told_at:
            entry = {
                "formula": "" if found.formula is None else found.formula.text,
                "facts": pairs(origin_lines(found))["pairs"],
                "inflow": bool(flow),
                "proof": proof,
            }
            text = msgspec.json.encode(entry)
            if text not in self._text_at:
                self._text_at[text] = len(self.told)
                self.told.append(entry)
            self._told_at[key] = self._text_at[text]
        return self._told_at[key]

    def _way(self, found: Explanation) -> int:
        """The number of the first step; those that are not there yet are added."""
        steps = found.inflow or found.chain
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
