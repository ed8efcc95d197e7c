"""A histogram on a scale: the share of values in each cell, of zeros, and outside."""

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
# Borders of a symlog scale are rounded; counts below this are rounding and become 0.
ROUNDING = 1e-9
NO_ROWS = "no step was recorded"
NO_NUMBERS = "no finite numbers"
ALL_ZERO = "all zero"


@dataclass(frozen=True)
class Distribution:
    """The values of a row of a plot: finite ones as a sketch, and the number of others."""

    label: str
    sketch: Sketch
    not_finite: int = 0

    @classmethod
    def of(cls, label: str, summary: TensorSummary) -> Distribution:
        """The distribution of a summarized tensor."""
        return cls(label, summary.sketch, summary.count - summary.finite)

    @property
    def total(self) -> int:
        """The number of all values, finite or not."""
        return self.sketch.total + self.not_finite


@dataclass(frozen=True)
class Spread:
    """Shares (0…1) of a row's values in each cell, of zeros, outside the scale, not finite.

    The shares add up to 1; those of an empty row are 0. Zeros are not in `cells`, because they are
    often so many that all other cells would look empty.
    """

    cells: Floats
    zero: float
    below: float
    above: float
    not_finite: float

    @property
    def remark(self) -> str:
        """The reason for an empty plot; an empty text if there is something to draw."""
        if self.cells.any() or self.below or self.above:
            return ""
        return ALL_ZERO if self.zero else NO_NUMBERS


def spread(row: Distribution, scale: Scale, cells: int) -> Spread:
    """The shares of a row on a scale of that many cells."""
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
    """The number of values between neighbouring ascending borders.

    A bin that a border crosses is divided by width.
    """
    counts = sketch.density(borders)
    return np.where(counts > ROUNDING, counts, 0.0)


def scale_of(rows: Sequence[Distribution], scale: Scale | Kind) -> Scale:
    """`scale` itself, or for a kind of scale the one that fits the rows."""
    return scale if isinstance(scale, Scale) else Scale.of([row.sketch for row in rows], scale)


def merged(rows: Sequence[Distribution], most: int) -> list[Distribution]:
    """At most `most` rows: equal groups of neighbours, named after their first and last row."""
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
    """Remarks below a plot: the number of values outside the scale, and a symlog scale."""
    texts = []
    pairs = list(zip(rows, spreads, strict=True))
    below = round(sum(shares.below * row.total for row, shares in pairs))
    above = round(sum(shares.above * row.total for row, shares in pairs))
    if below or above:
        total = sum(row.total for row in rows)
        ends = f"{spell_tick(scale.low)}…{spell_tick(scale.high)}"
        sides = [f"{below:,} below ‹"] * (below > 0) + [f"{above:,} above ›"] * (above > 0)
        share = spelling.share((below + above) / total)
        texts.append(f"outside {ends}: {', '.join(sides)} ({share} of {total:,} values)")
    if scale.kind == "symlog":
        end = spell_tick(scale.threshold)
        texts.append(f"symmetric-log scale, about linear from −{end} to {end}")
    return texts
