"""Distances of distributions and scalars side by side, as tables that get narrower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from resnet_inspect.analysis.diff.differences import AverageDiff, Distance, ScalarDiff
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain, table

# What a narrow terminal goes without, in this order.
EXPENDABLE = ("KS", "moves")
LEGEND = (
    "distance: the earth mover's, as mean over these steps, in units of the numbers' spread, of"
    " weights in units of their size; KS: the largest gap of the distribution functions; moves: the"
    " distance from one step to the next, in the run that moves more; over: distance / moves"
)
AVERAGES = (
    "over channels at the last step of both: how far moving means are apart, in standard"
    " deviations, and moving variances, in units of the mean one"
)
MANY = 100.0
# The scalars that are told last are those that a narrow terminal goes without first.
FIRST = ("loss", "accuracy")


def distribution_tables(
    kind: str, rows: Sequence[Distance], steps: Sequence[int]
) -> Iterator[Table]:
    """Distances of tensors of one kind, then narrower tables that say what they leave out."""
    cells = [distance_cells(row, steps) for row in rows]
    columns = list(cells[0])
    broken = any(row.not_finite_a or row.not_finite_b for row in rows)
    if not broken:
        columns.remove("not finite")
    for count in range(len(EXPENDABLE) + 1):
        left_out = EXPENDABLE[:count]
        kept = [name for name in columns if name not in left_out]
        made = table(f"{kind}s", *kept, right=tuple(columns))
        for row, told in zip(rows, cells, strict=True):
            made.add_row(plain(tensor_name(row)), *(plain(told[name]) for name in kept))
        if left_out:
            made.caption = f"too narrow for: {', '.join(left_out)}; --json has everything"
            made.caption_justify = "left"
        yield made


def movement_of(row: Distance) -> float | None:
    """How far the tensor moves from one step to the next, in the run that moves more."""
    known = [one for one in (row.movement_a, row.movement_b) if one is not None]
    return max(known, default=None)


def distance_cells(row: Distance, steps: Sequence[int]) -> dict[str, str]:
    """What a table says of a tensor, by column; the first and last of several `steps`."""
    movement = movement_of(row)
    cells = {"distance": spelling.number(row.distance, 2)}
    if len(steps) > 1:
        cells[f"step {steps[0]}"] = spelling.number(row.first, 2)
        cells[f"step {steps[-1]}"] = spelling.number(row.last, 2)
    return cells | {
        "KS": spelling.number(row.ks, 2),
        "moves": spelling.number(movement, 2),
        "over": _times(row.distance, movement),
        "not finite": f"{row.not_finite_a:,} | {row.not_finite_b:,}",
    }


def _times(distance: float | None, movement: float | None) -> str:
    """How many times the movement of a step the distance is; a dash where it is no more."""
    if distance is None or movement is None or distance <= movement:
        return "–"
    if distance > MANY * movement:
        return f">{MANY:.0f}×"
    return f"{spelling.number(distance / movement, 2)}×"


def tensor_name(row: Distance) -> str:
    """The layer whose output it is, else the tensor; both names where they are not the same."""
    output = ":" in row.tensor_a and ":" in row.tensor_b
    names = (row.layer_a, row.layer_b) if output else (row.tensor_a, row.tensor_b)
    return names[0] if names[0] == names[1] else " → ".join(names)


def scalar_tables(rows: Sequence[ScalarDiff]) -> Iterator[Table]:
    """Each scalar's last values and largest difference."""
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
    """Scalars at these steps side by side; narrower tables leave the last ones out."""
    ordered = _ordered(rows)
    for count in range(len(ordered), 0, -1):
        kept = ordered[:count]
        names = [f"{row.name} {side}" for row in kept for side in "AB"]
        made = table("step", *names, right=("step", *names))
        for step in steps:
            cells = [str(step)]
            for row in kept:
                at = dict(zip(row.steps, zip(row.a, row.b, strict=True), strict=True))
                cells += [spelling.number(one) for one in at.get(step, (None, None))]
            made.add_row(*map(plain, cells))
        if count < len(ordered):
            left = ", ".join(row.name for row in ordered[count:])
            made.caption = f"too narrow for: {left}; --json has everything"
            made.caption_justify = "left"
        yield made


def _ordered(rows: Sequence[ScalarDiff]) -> list[ScalarDiff]:
    return sorted(rows, key=lambda row: (row.name not in FIRST, row.name != FIRST[0]))


def averages_table(rows: Sequence[AverageDiff]) -> Table:
    """How far apart moving means and variances of layers are."""
    made = table("layer", "step", "means", "variances", right=("step", "means", "variances"))
    for row in rows:
        made.add_row(*map(plain, (average_name(row), str(row.step), *average_cells(row))))
    return made


def average_name(row: AverageDiff) -> str:
    """The layer, with both names if it has two."""
    return row.layer_a if row.layer_a == row.layer_b else f"{row.layer_a} → {row.layer_b}"


def average_cells(row: AverageDiff) -> tuple[str, str]:
    """The distances of the moving means and of the moving variances."""
    first, second = (
        "–" if one is None else spelling.number(one, 2) for one in (row.mean, row.variance)
    )
    return first, second
