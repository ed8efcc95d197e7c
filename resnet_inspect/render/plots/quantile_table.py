"""The table below a distribution plot: counts, quantiles and moments of each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.plots.scale import value_of
from resnet_inspect.render.screen import plain, table
from resnet_inspect.stats import TensorSummary

SHARES = {"1 %": 0.01, "25 %": 0.25, "50 %": 0.5, "75 %": 0.75, "99 %": 0.99}
COLUMNS = ("step", "count", "zero", "not finite", "min", *SHARES, "max", "mean", "std")
# Columns that a narrow terminal omits, in this order.
EXPENDABLE = ("count", "25 %", "75 %", "1 %", "99 %", "not finite", "zero", "min", "max")
LABEL = 20


def quantile_tables(rows: Sequence[tuple[str, TensorSummary]]) -> Iterator[Table]:
    """The table of all columns, then narrower tables with a caption on omitted columns.

    The column of values that are not finite is never omitted if there are any.
    """
    cells = [_cells(label, summary) for label, summary in rows]
    broken = any(summary.count != summary.finite for _, summary in rows)
    order = [name for name in EXPENDABLE if not (broken and name == "not finite")]
    for left_out in range(len(order) + 1):
        yield _table(cells, order[:left_out])


def _table(cells: Sequence[dict[str, str]], left_out: Sequence[str]) -> Table:
    kept = [name for name in COLUMNS if name not in left_out]
    grid = table(*kept, right=COLUMNS[1:])
    for row in cells:
        grid.add_row(*(plain(row[name]) for name in kept))
    if left_out:
        grid.caption = f"too narrow for: {', '.join(left_out)}; --json has everything"
        grid.caption_justify = "left"
    return grid


def _cells(label: str, summary: TensorSummary) -> dict[str, str]:
    """The cells of a row by column; quantiles have a relative error of at most 6.25 %."""
    middles = summary.sketch.quantiles(tuple(SHARES.values()))
    quantiles = [_within(value, summary) for value in middles] or [None] * len(SHARES)
    return {
        "step": fitted(label, LABEL),
        "count": spelling.count(summary.count),
        "zero": spelling.share(summary.zero_fraction) if summary.count else "–",
        "not finite": spelling.count(summary.count - summary.finite),
        "min": spelling.number(summary.min),
        **{name: spelling.number(value) for name, value in zip(SHARES, quantiles, strict=True)},
        "max": spelling.number(summary.max),
        "mean": spelling.number(summary.mean),
        "std": spelling.number(summary.std),
    }


def _within(middle: float, summary: TensorSummary) -> float | None:
    """The value for a bin's middle, clipped to the exact minimum and maximum."""
    return float(np.clip(value_of(middle), summary.min, summary.max))
