"""Tables of distances and scalars of two runs, each in several widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from resnet_inspect.analysis.diff.differences import (
    AverageDiff,
    Distance,
    DistributionsDiff,
    ScalarDiff,
)
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain, table

# Columns that a narrow terminal leaves out, in this order.
EXPENDABLE = ("KS", "per step")
# The columns of the tables, a line each.
LEGEND = (
    "distance: earth mover's distance between A and B, in standard deviations (weights: in root"
    " mean squares), mean over these steps",
    "KS: Kolmogorov-Smirnov statistic, from 0 (equal) to 1 (no overlap)",
    "per step: distance between successive recorded steps of the same run, larger of A and B",
    "ratio: distance / per step; – if it is 1 or less",
)
AVERAGES = (
    "Root mean square difference over channels, at the last step of both runs. Moving means: in"
    " standard deviations. Moving variances: in units of the mean variance."
)
MANY = 100.0
# The first scalars. A narrow terminal leaves out the last scalars.
FIRST = ("loss", "accuracy")


def distribution_tables(
    kind: str, rows: Sequence[Distance], steps: Sequence[int]
) -> Iterator[Table]:
    """Distances of tensors of one kind, then narrower tables that name their missing columns."""
    cells = [distance_cells(row, steps) for row in rows]
    columns = list(cells[0])
    broken = any(row.not_finite_a or row.not_finite_b for row in rows)
    if not broken:
        columns.remove("not finite")
    for count in range(len(EXPENDABLE) + 1):
        left_out = EXPENDABLE[:count]
        kept = [name for name in columns if name not in left_out]
        made = table(f"{kind}s", *kept, right=tuple(columns))
        for row, texts in zip(rows, cells, strict=True):
            made.add_row(plain(tensor_name(row)), *(plain(texts[name]) for name in kept))
        if left_out:
            made.caption = f"too narrow for: {', '.join(left_out)}; --json has everything"
            made.caption_justify = "left"
        yield made


def movement_of(row: Distance) -> float | None:
    """The distance between neighbouring steps of one run, the larger of both runs."""
    known = [move for move in (row.movement_a, row.movement_b) if move is not None]
    return max(known, default=None)


def distance_cells(row: Distance, steps: Sequence[int]) -> dict[str, str]:
    """The cells of a tensor by column, with the first and the last of several `steps`."""
    movement = movement_of(row)
    cells = {"distance": spelling.number(row.distance, 2)}
    if len(steps) > 1:
        cells[f"step {steps[0]}"] = spelling.number(row.first, 2)
        cells[f"step {steps[-1]}"] = spelling.number(row.last, 2)
    return cells | {
        "KS": spelling.number(row.ks, 2),
        "per step": spelling.number(movement, 2),
        "ratio": _times(row.distance, movement),
        "not finite": f"{row.not_finite_a:,} | {row.not_finite_b:,}",
    }


def _times(distance: float | None, movement: float | None) -> str:
    """The ratio of the distance to the movement of a step; a dash if it is 1 or less."""
    if distance is None or movement is None or distance <= movement:
        return "–"
    if distance > MANY * movement:
        return f">{MANY:.0f}×"
    return f"{spelling.number(distance / movement, 2)}×"


def tensor_name(row: Distance) -> str:
    """The layer if the tensor is its output, else the tensor. Both names if they differ."""
    output = ":" in row.tensor_a and ":" in row.tensor_b
    names = (row.layer_a, row.layer_b) if output else (row.tensor_a, row.tensor_b)
    return names[0] if names[0] == names[1] else " → ".join(names)


def scalar_tables(rows: Sequence[ScalarDiff]) -> Iterator[Table]:
    """The last values and the largest difference of each scalar."""
    numbers = ("last in A", "last in B", "largest B − A", "at step")
    made = table("", *numbers, right=numbers)
    for row in _ordered(rows):
        if row.steps:
            cells = [spelling.number(side[-1]) for side in (row.a, row.b)]
            largest = "not finite" if row.largest is None else spelling.number(row.largest)
            cells += [largest, "–" if row.step is None else str(row.step)]
            made.add_row(plain(row.name), *map(plain, cells))
    yield made


def step_tables(rows: Sequence[ScalarDiff], steps: Sequence[int]) -> Iterator[Table]:
    """Scalars at these steps side by side, then narrower tables without the last scalars."""
    ordered = _ordered(rows)
    for count in range(len(ordered), 0, -1):
        kept = ordered[:count]
        names = [f"{row.name} {side}" for row in kept for side in "AB"]
        made = table("step", *names, right=("step", *names))
        for step in steps:
            cells = [str(step)]
            for row in kept:
                at = dict(zip(row.steps, zip(row.a, row.b, strict=True), strict=True))
                cells += [spelling.number(number) for number in at.get(step, (None, None))]
            made.add_row(*map(plain, cells))
        if count < len(ordered):
            left_out = ", ".join(row.name for row in ordered[count:])
            made.caption = f"too narrow for: {left_out}; --json has everything"
            made.caption_justify = "left"
        yield made


def _ordered(rows: Sequence[ScalarDiff]) -> list[ScalarDiff]:
    return sorted(rows, key=lambda row: (row.name not in FIRST, row.name != FIRST[0]))


def averages_table(rows: Sequence[AverageDiff]) -> Table:
    """The distances of moving means and variances by layer."""
    made = table("layer", "step", "means", "variances", right=("step", "means", "variances"))
    for row in rows:
        made.add_row(*map(plain, (average_name(row), str(row.step), *average_cells(row))))
    return made


def average_name(row: AverageDiff) -> str:
    """The layer's name; both names if they differ."""
    return row.layer_a if row.layer_a == row.layer_b else f"{row.layer_a} → {row.layer_b}"


def average_cells(row: AverageDiff) -> tuple[str, str]:
    """The distances of the moving means and of the moving variances."""
    first, second = (
        "–" if number is None else spelling.number(number, 2) for number in (row.mean, row.variance)
    )
    return first, second


def verdict(diff: DistributionsDiff) -> str:
    """How many tensors differ more between the runs than between recorded steps of a run."""
    known = [row.beyond for row in diff.rows if row.beyond is not None]
    if not known:
        return ""
    count = f"{sum(known)} of them" if any(known) else "none of them"
    verb = "differs" if sum(known) == 1 else "differ"
    return f"{count} {verb} more between A and B than between recorded steps of one run"
