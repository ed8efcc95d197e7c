"""The table of shapes for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.table import Table

from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, ShapeTable
from resnet_inspect.graph import MeasuredSize
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import shortened
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.render.screen import GAP, plain, table

NUMBERS = ("params", "MACs", "memory")
# Columns that a narrow terminal omits, in this order. Before the others, names are cut.
EXPENDABLE = ("inputs", "memory", "type")
MORE_EXPENDABLE = ("MACs", "phase", "kernel/stride, pad")
# Names are not cut below this number of terminal columns, unless nothing else can be omitted.
LEAST_NAME = 20


def shape_tables(shapes: ShapeTable, width: int) -> Iterator[Table]:
    """The table of shapes, windows, parameters, MACs and memory, then narrower tables.

    A narrower table has a caption on its omitted columns. The last tables fit `width` terminal
    columns, with the middle of long names cut.
    """
    yield _Draft.of(shapes, ()).table()
    for count in range(1, len(EXPENDABLE) + 1):
        draft = _Draft.of(shapes, EXPENDABLE[:count])
        if draft.width <= width:
            yield draft.table()
    for count in range(len(MORE_EXPENDABLE) + 1):
        draft = _Draft.of(shapes, (*EXPENDABLE, *MORE_EXPENDABLE[:count]))
        room = width - draft.width_of_others
        if room >= LEAST_NAME or count == len(MORE_EXPENDABLE):
            yield draft.table(max(room, 1))


class _Draft(NamedTuple):
    """The cells of a table by column, the totals last, and the columns that are left out."""

    columns: list[str]
    rows: list[dict[str, str]]
    left_out: list[str]

    @classmethod
    def of(cls, shapes: ShapeTable, left_out: tuple[str, ...]) -> _Draft:
        rows = [_cells(row, "inputs" not in left_out) for row in shapes.rows]
        shown = list(rows[0]) if rows else ["name", *NUMBERS]
        hidden = set()
        if not any(row.receptive_fields for row in shapes.rows):
            hidden.add("receptive field")
        if shapes.depth != Depth.OP:
            hidden.add("phase")
        if shapes.depth in (Depth.STAGE, Depth.BLOCK):
            hidden |= {"type", "kernel/stride, pad"}
        totals = shapes.totals
        sums = {
            "name": "total, forward",
            "params": spelling.count(totals.params),
            "MACs": spelling.at_least(totals.macs, totals.uncounted),
            "memory": spelling.size(totals.memory),
        }
        columns = [name for name in shown if name not in hidden and name not in left_out]
        return cls(columns, [*rows, sums], [name for name in left_out if name not in hidden])

    @property
    def width(self) -> int:
        """The terminal columns of the table with whole names."""
        return self.width_of_others + self._width_of("name")

    @property
    def width_of_others(self) -> int:
        """The terminal columns of all columns except names, and of the gaps."""
        others = (name for name in self.columns if name != "name")
        return GAP * (len(self.columns) - 1) + sum(map(self._width_of, others))

    def _width_of(self, column: str) -> int:
        cells = (printable(row.get(column, "")) for row in self.rows)
        return max(map(cell_len, (column, *cells)))

    def table(self, room: int | None = None) -> Table:
        """The table, with names that take at most `room` terminal columns."""
        grid = table(*self.columns, right=NUMBERS)
        cut = False
        names = [row["name"] for row in self.rows]
        shown = names if room is None else shortened(names, room)
        for place, (row, name) in enumerate(zip(self.rows, shown, strict=True)):
            last = place == len(self.rows) - 1
            cut = cut or name != printable(row["name"])
            cells = (name if column == "name" else row.get(column, "") for column in self.columns)
            grid.add_row(*(plain(cell, "bold" if last else "") for cell in cells))
        omitted = f"too narrow for: {', '.join(self.left_out)}" if self.left_out else ""
        notes = [note for note in (omitted, "long names are cut" if cut else "") if note]
        if notes:
            grid.caption = "; ".join((*notes, "--json has everything"))
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
            sizes = map(spelling.size_text, row.shape or ())
            parts = [
                size if size == name else f"{name} {size}".strip()
                for name, size in zip(row.axes, sizes, strict=True)
            ]
            cells = {"name": row.name, "type": row.type, "output": " × ".join(parts)}
            grid.add_row(*(plain(cells[column]) for column in columns))
        yield grid


def legend(sizes: Sequence[MeasuredSize]) -> str:
    """The sizes that differ between steps, in the steps that ran; empty without any."""
    if not sizes:
        return ""
    text = ", ".join(size.text for size in sizes)
    # MACs are counted per example, so another batch size does not change them.
    counted = "Sizes, MACs" if any(size.name != BATCH for size in sizes) else "Sizes"
    return f"{text}. {counted} and memory are those of the first recorded step."


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
