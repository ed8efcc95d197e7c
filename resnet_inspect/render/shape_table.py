"""The shape table for a terminal."""

from __future__ import annotations

from rich.table import Table

from resnet_inspect.analysis.geometry import Window
from resnet_inspect.analysis.shapes import Depth, ShapeRow, ShapeTable
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain, table

NUMBERS = ("params", "MACs", "memory")


def shape_table(found: ShapeTable) -> Table:
    """Rows of a shape table with their totals: in → out, window, parameters, MACs, memory."""
    windows = found.depth in (Depth.LAYER, Depth.OP)
    columns = ["name", "type", "in → out", *(["kernel/stride, pad"] if windows else []), *NUMBERS]
    if found.depth == Depth.OP:
        columns.insert(2, "phase")
    made = table(*columns, right=NUMBERS)
    for row in found.rows:
        cells = [row.name, row.type, flow(row)]
        if windows:
            cells.append(window(row.window))
        if found.depth == Depth.OP:
            cells.insert(2, row.phase.value)
        cells += [
            spelling.count(row.params) if row.params else "",
            spelling.count(row.macs) if row.macs != 0 else "",
            spelling.size(row.memory) if row.memory != 0 else "",
        ]
        made.add_row(*(plain(cell) for cell in cells))
    totals = found.totals
    made.add_section()
    made.add_row(
        plain("total, forward", "bold"),
        *[""] * (len(columns) - 4),
        *(
            plain(cell, "bold")
            for cell in (
                spelling.count(totals.params),
                spelling.count(totals.macs),
                spelling.size(totals.memory),
            )
        ),
    )
    return made


def flow(row: ShapeRow) -> str:
    """The shapes an op takes and gives, such as 128×32×32×16 → 128×16×16×32."""
    inputs = ", ".join(dict.fromkeys(spelling.shape(shape) for shape in row.inputs))
    return f"{inputs} → {spelling.shape(row.shape)}" if inputs else spelling.shape(row.shape)


def window(found: Window | None) -> str:
    """A window such as 3×3/2, pad 0+1 0+1 (rows before+after, columns before+after)."""
    if found is None:
        return ""
    kernel = f"{found.kernel[0]}×{found.kernel[1]}"
    stride = found.stride[0] if len(set(found.stride)) == 1 else "×".join(map(str, found.stride))
    if found.padding is None:
        return f"{kernel}/{stride}, pad ?"
    top, bottom, left, right = found.padding
    if (top, bottom) == (left, right):
        return f"{kernel}/{stride}, pad {top}+{bottom}"
    return f"{kernel}/{stride}, pad {top}+{bottom} {left}+{right}"
