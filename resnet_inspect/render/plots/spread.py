"""A histogram brought onto a scale: what falls into each cell, and what lies apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import joined
from resnet_inspect.render.plots.scale import Kind, Scale, spell_tick, without_zeros
from resnet_inspect.stats import Sketch, TensorSummary

Floats = NDArray[np.float64]
# Cell borders of a bent scale are rounded; what that moves into the next cell is nothing.
NOTHING = 1e-9
NO_ROWS = "no step was recorded"
NO_NUMBERS = "no finite numbers"
ALL_ZERO = "all zero"


@dataclass(frozen=True)
class Distribution:
    """What one row of a picture shows: a step's numbers, and how many more were not finite."""

    label: str
    sketch: Sketch
    not_finite: int = 0

    @classmethod
    def of(cls, label: str, summary: TensorSummary) -> Distribution:
        """The distribution of a summarized tensor."""
        return cls(label, summary.sketch, summary.count - summary.finite)

    @property
    def total(self) -> int:
        """All numbers, finite or not."""
        return self.sketch.total + self.not_finite


@dataclass(frozen=True)
class Spread:
    """A row's numbers as shares (0…1) of all its numbers; together they are 1.

    Zeros are apart, so that the spike they often are does not flatten the rest. An empty row has
    shares of 0.
    """

    cells: Floats
    zero: float
    below: float
    above: float
    not_finite: float

    @property
    def remark(self) -> str:
        """Why there is nothing to draw, if there is nothing."""
        if self.cells.any() or self.below or self.above:
            return ""
        return ALL_ZERO if self.zero else NO_NUMBERS


def spread(row: Distribution, scale: Scale, cells: int) -> Spread:
    """Bring one row onto a scale of that many cells."""
    rest = without_zeros(row.sketch)
    borders = scale.borders(cells)
    everywhere = np.concatenate([[-math.inf], borders, [math.inf]])
    counts = counts_between(rest, everywhere) / max(1, row.total)
    return Spread(
        cells=counts[1:-1],
        zero=(row.sketch.total - rest.total) / max(1, row.total),
        below=float(counts[0]),
        above=float(counts[-1]),
        not_finite=row.not_finite / max(1, row.total),
    )


def counts_between(sketch: Sketch, borders: Floats) -> Floats:
    """How many numbers lie between neighbouring ascending borders, bins shared by width."""
    found = sketch.density(borders)
    return np.where(found > NOTHING, found, 0.0)


def scale_of(rows: Sequence[Distribution], scale: Scale | Kind) -> Scale:
    """The scale itself, or one of that kind made for the rows."""
    return scale if isinstance(scale, Scale) else Scale.of([row.sketch for row in rows], scale)


def merged(rows: Sequence[Distribution], most: int) -> list[Distribution]:
    """At most that many rows: neighbours together, in even groups named after first and last."""
    size = math.ceil(len(rows) / max(1, most))
    groups = [rows[start : start + size] for start in range(0, len(rows), size)] if size else []
    return [
        Distribution(
            joined(group[0].label, group[-1].label, "…") if len(group) > 1 else group[0].label,
            sum((row.sketch for row in group), Sketch.of(())),
            sum(row.not_finite for row in group),
        )
        for group in groups
    ]


def remarks(rows: Sequence[Distribution], spreads: Sequence[Spread], scale: Scale) -> list[str]:
    """What a picture must say beside itself: numbers outside the scale, a bent scale."""
    found = []
    pairs = list(zip(rows, spreads, strict=True))
    below = round(sum(one.below * row.total for row, one in pairs))
    above = round(sum(one.above * row.total for row, one in pairs))
    if below or above:
        total = sum(row.total for row in rows)
        ends = f"{spell_tick(scale.low)}…{spell_tick(scale.high)}"
        sides = [f"{below:,} below ‹"] * (below > 0) + [f"{above:,} above ›"] * (above > 0)
        share = spelling.share((below + above) / total)
        found.append(f"outside {ends}: {', '.join(sides)} ({share} of {total:,})")
    if scale.kind == "symlog":
        bent = spell_tick(scale.threshold)
        found.append(f"logarithmic to both sides of zero, about linear from −{bent} to {bent}")
    return found
