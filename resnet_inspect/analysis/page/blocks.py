"""The blocks of a run's page, in order; the answer page and the report draw the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from resnet_inspect.analysis.page.overview import Overview


class BlockKind(StrEnum):
    """What a block is about; the value is its anchor on a page."""

    FAILURE = "failure"
    WHY = "why"
    FINDINGS = "findings"
    NOT_FINITE = "not-finite"
    WATCH_OUT = "watch-out"
    FLOW = "flow"
    ORIGIN = "origin"
    SHARED = "shared"
    OUTPUTS = "blocks"
    LEARNING = "learning"
    SCALARS = "scalars"
    NOTES = "not-observed"


class Block(NamedTuple):
    """One block; of several origins `number` says which."""

    kind: BlockKind
    number: int = 0


def blocks(found: Overview, *, failed: bool) -> Iterator[Block]:
    """The blocks that a run has; `failed` if it has a failure."""
    learned = any(one.gradient is not None or one.ratio is not None for one in found.learning)
    present = {
        BlockKind.FAILURE: failed,
        BlockKind.WHY: found.postmortem is not None,
        BlockKind.FINDINGS: True,
        BlockKind.NOT_FINITE: found.origin is not None,
        BlockKind.WATCH_OUT: bool(found.dangers) and found.postmortem is None,
        BlockKind.FLOW: bool(found.flow),
        BlockKind.SHARED: bool(found.shared),
        BlockKind.OUTPUTS: bool(found.blocks),
        BlockKind.LEARNING: learned,
        BlockKind.SCALARS: bool(found.scalars),
        BlockKind.NOTES: bool(found.notes),
    }
    for kind in BlockKind:
        if kind is BlockKind.ORIGIN:
            yield from (Block(kind, number) for number in range(len(found.origins)))
        elif present[kind]:
            yield Block(kind)
