"""Blocks of the answer page and the report, in order. Both show the same blocks."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from resnet_inspect.analysis.page.overview import Overview


class BlockKind(StrEnum):
    """Topic of a block. The value is its anchor on a page."""

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
    """One block. `number` is the index of the explained size in an ORIGIN block."""

    kind: BlockKind
    number: int = 0


def blocks(overview: Overview) -> Iterator[Block]:
    """Yield the blocks of a run's page."""
    failure = overview.failure
    rejected = failure is not None and failure.postmortem is not None
    explained = failure is not None and failure.explanation is not None
    learned = any(row.gradient is not None or row.ratio is not None for row in overview.learning)
    present = {
        BlockKind.FAILURE: failure is not None,
        BlockKind.WHY: rejected and not explained,
        BlockKind.FINDINGS: True,
        BlockKind.NOT_FINITE: overview.origin is not None,
        BlockKind.WATCH_OUT: bool(overview.dangers) and not (rejected or explained),
        BlockKind.FLOW: bool(overview.flow),
        BlockKind.SHARED: bool(overview.shared),
        BlockKind.OUTPUTS: bool(overview.blocks),
        BlockKind.LEARNING: learned,
        BlockKind.SCALARS: bool(overview.scalars),
        BlockKind.NOTES: bool(overview.notes),
    }
    for kind in BlockKind:
        if kind is BlockKind.ORIGIN:
            yield from (Block(kind, number) for number in range(len(overview.origins)))
        elif present[kind]:
            yield Block(kind)
