"""The table of shapes for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, ShapeTable
from resnet_inspect.render import spelling
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.render.screen import plain, table

NUMBERS = ("params", "MACs", "memory")
# Columns that a narrow terminal omits, in this order.
EXPENDABLE = ("inputs", "memory", "type", "MACs")


def shape_tables(shapes: ShapeTable) -> Iterator[Table]:
    """The table of shapes, windows, parameters, MACs and memory, then narrower tables.

    A narrower table has a caption on its omitted columns.
    """
    for count in range(len(EXPENDABLE) + 1):
        yield _table(shapes, EXPENDABLE[:count])


def _table(shapes: ShapeTable, left_out: tuple[str, ...]) -> Table:
    rows = [_cells(row, "inputs" not in left_out) for row in shapes.rows]
    totals = shapes.totals
    sums = {
        "name": "total, forward",
        "params": spelling.count(totals.params),
        "MACs": spelling.at_least(totals.macs, totals.uncounted),
        "memory": spelling.size(totals.memory),
    }
    columns = [name for name in rows[0] if name not in left_out] if rows else ["name", *NUMBERS]
    if not any(row.receptive_fields for row in shapes.rows):
        columns = [name for name in columns if name != "receptive field"]
    if shapes.depth != Depth.OP:
        columns = [name for name in columns if name != "phase"]
    if shapes.depth in (Depth.STAGE, Depth.BLOCK):
        columns = [name for name in columns if name not in ("type", "kernel/stride, pad")]
    grid = table(*columns, right=NUMBERS)
    for row in rows:
        grid.add_row(*(plain(row[name]) for name in columns))
    grid.add_row(*(plain(sums.get(name, ""), "bold") for name in columns))
    if left_out:
        grid.caption = f"too narrow for: {', '.join(left_out)}; --json has everything"
        grid.caption_justify = "left"
    return grid


def _cells(row: ShapeRow, inputs: bool) -> dict[str, str]:
    """The cells of a row by column."""
    return {
        "name": row.name,
        "type": row.type,
        "phase": row.phase.value,
        "in → out" if inputs else "out": flow(row) if inputs else spelling.shape(row.shape),
        "kernel/stride, pad": window(row.window),
        "receptive field": receptive_fields(row.receptive_fields),
        "params": spelling.count(row.params) if row.params else "",
        "MACs": spelling.count(row.macs) if row.macs != 0 else "",
        "memory": spelling.size(row.memory) if row.memory != 0 else "",
    }


def axes_tables(shapes: ShapeTable) -> Iterator[Table]:
    """A table of outputs with the meaning of each axis, then a narrower one without types.

    An output is written as `batch 128 × height/4 8 × channel 64`.
    """
    for columns in (("name", "type", "output"), ("name", "output")):
        grid = table(*columns)
        for row in shapes.rows:
            sizes = ["?" if size is None else str(size) for size in row.shape or ()]
            parts = [f"{name} {size}".strip() for name, size in zip(row.axes, sizes, strict=True)]
            cells = {"name": row.name, "type": row.type, "output": " × ".join(parts)}
            grid.add_row(*(plain(cells[column]) for column in columns))
        yield grid


def flow(row: ShapeRow) -> str:
    """The input and output shapes of an op, such as 128×32×32×16 → 128×16×16×32."""
    if not row.dtype and row.shape is None:
        return "no output"
    inputs = ", ".join(dict.fromkeys(spelling.shape(shape) for shape in row.inputs))
    return f"{inputs} → {spelling.shape(row.shape)}" if inputs else spelling.shape(row.shape)


def window(geometry: Window | None) -> str:
    """Kernel, stride and padding, such as `3×3/2, pad 0+1 0+1`; empty for None.

    The padding is that of rows (before+after), then of columns.
    """
    if geometry is None:
        return ""
    kernel = f"{geometry.kernel[0]}×{geometry.kernel[1]}"
    stride = (
        geometry.stride[0]
        if len(set(geometry.stride)) == 1
        else "×".join(map(str, geometry.stride))
    )
    if geometry.padding is None:
        return f"{kernel}/{stride}, pad ?"
    top, bottom, left, right = geometry.padding
    if (top, bottom) == (left, right):
        return f"{kernel}/{stride}, pad {top}+{bottom}"
    return f"{kernel}/{stride}, pad {top}+{bottom} {left}+{right}"
