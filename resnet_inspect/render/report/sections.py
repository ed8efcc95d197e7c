"""The page's sections about the whole run, as blocks of pairs, tables and texts.

A block is a JSON object that the page's script draws: {"pairs": [[label, lines]]}, with "code" as
third item of a pair of code; {"columns", "right", "rows"}, {"text"}, {"heading"}, the result of
`finding`, or {"fold": title, "blocks"} for folded blocks. A cell is one of: a text; {"layer":
name}, a link to a layer's panel; {"op": place}, a link to an op's panel; {"bars": shares}, a small
histogram; {"line": numbers}, a small curve; {"sort": number, "text"}, a text with the number that
sorts it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.blocks import BlockKind, blocks
from resnet_inspect.analysis.page.report import Report
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, ShapeTable
from resnet_inspect.commands import Command, spelled
from resnet_inspect.graph import Note, Phase
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.answer_page import facts
from resnet_inspect.render.pages.blocks import (
    SCALARS_SHOWN,
    Bars,
    Cell,
    Course,
    Findings,
    Grid,
    LayerLink,
    Pairs,
    Paragraph,
    Part,
    Range,
    SubjectList,
    part,
    titled,
)
from resnet_inspect.render.pages.explanation_page import ExplanationPage
from resnet_inspect.render.pages.findings_page import MARKS, evidence_text
from resnet_inspect.render.pages.shape_table import flow, window
from resnet_inspect.store.info import RunInfo, Status

Block = dict[str, Any]
BARS = 32
ELSEWHERE = (BlockKind.SCALARS, BlockKind.NOTES)  # drawn as curves, and at the end of the page


def section(name: str, title: str, *blocks: Block) -> Block:
    """A section of the page with a heading; `name` is its anchor."""
    return {"name": name, "title": title, "blocks": list(blocks)}


def pairs(lines: Iterable[tuple[str, str]]) -> Block:
    """Labels and texts; a text may have several lines."""
    return {"pairs": [[label, text.splitlines() or [""]] for label, text in lines]}


def table(columns: list[str], rows: list[list[Any]], right: Iterable[str] = ()) -> Block:
    """A table; the columns named in `right` are aligned right."""
    aligned = set(right)
    return {
        "columns": columns,
        "right": [place for place, name in enumerate(columns) if name in aligned],
        "rows": rows,
    }


def text(line: str, tone: str = "") -> Block:
    """A paragraph; `tone` may be bad, dim or verdict."""
    return {"text": line, "tone": tone}


def finding(row: Finding) -> Block:
    """A finding of `check`; its `where` names a layer, op or variable, empty for the whole run."""
    lines = [("measured", evidence_text(row)), ("why", row.why), ("try", row.fix)]
    if row.command is not None:
        lines.append(("see", spelled(row.command)))
    return {
        "finding": row.severity.value,
        "mark": MARKS[row.severity],
        "rule": row.rule,
        "where": [str(row.place), row.place.name],
        "step": row.step,
        "message": row.message,
        "pairs": pairs((label, line) for label, line in lines if line)["pairs"],
    }


def sections(info: RunInfo, report: Report, file: str) -> Iterator[Block]:
    """The sections at the start of the page, in order."""
    summary = report.overview
    lines = [*facts(info, summary), ("run file", file), ("recorded", _when(info))]
    yield section("overview", "Overview", pairs(lines), *_ended(info, report))
    for block in blocks(summary):
        if block.kind not in ELSEWHERE:
            parts = drawn(part(block, summary, BARS))
            number = f"-{block.number}" if block.kind is BlockKind.ORIGIN else ""
            yield section(f"{block.kind}{number}", titled(block, info, summary), *parts)


def drawn(content: Part) -> Iterator[Block]:
    """The blocks of a part of the page."""
    match content:
        case Findings(findings):
            yield from map(finding, findings)
        case ExplanationPage(verdict, lines):
            yield text(verdict, "verdict")
            rows = [[line.label, [line.lead + line.text], *["code"] * line.code] for line in lines]
            yield {"pairs": rows}
        case Pairs(lines):
            yield pairs(lines)
        case Paragraph(line):
            yield text(line, "bad")
        case SubjectList(columns, rows):
            yield table(list(columns), [[_cell(cell) for cell in row] for row in rows])
        case Grid(columns, rows, right):
            names = [_ends(name) if isinstance(name, Range) else name for name in columns]
            yield table(names, [[_cell(cell) for cell in row] for row in rows], right)


def _ends(span: Range) -> str:
    return f"{spelling.number(span.low, 2)} … {spelling.number(span.high, 2)}"


def _cell(cell: Cell) -> str | Block:
    match cell:
        case LayerLink(layer):
            return {"layer": layer}
        case Bars(shares):
            return {"bars": list(shares) if any(shares) else []}
        case Course(values):
            return {"line": [value if math.isfinite(value) else None for value in values]}
    return cell


def closing(info: RunInfo, report: Report, file: str) -> Iterator[Block]:
    """The sections at the end of the page: settings, versions, what was not recorded."""
    values = [
        [name, spelling.spell_setting(value)] for name, value in info.settings.values().items()
    ]
    yield section("settings", "Settings", table(["setting", "value"], values))
    versions = [[name, version] for name, version in info.versions.items()]
    yield section("versions", "Versions", table(["part", "version"], [*versions,
                  ["device", info.device]]))  # fmt: skip
    notes: tuple[Note, ...] = (*report.overview.notes, *report.missing)
    rows: list[list[Any]] = [[note.subject, note.text] for note in notes]
    if report.unexplained:
        text_ = (
            f"{report.unexplained:,} axes of ops outside the forward pass are not explained here."
            f" Show one: {spelled(Command('why', ('OP:AXIS', Path(file))))}"
        )
        rows.append(["sizes", text_])
    block = table(["what", "why"], rows) if rows else text("No missing parts are known.")
    yield section("not-observed", "Not observed", block)


def scalar_rows(scalars: Mapping[str, Mapping[int, float]]) -> list[dict[str, Any]]:
    """The steps, values and texts of each scalar; a value that is not finite is None."""
    order = {name: place for place, name in enumerate(SCALARS_SHOWN)}
    return [
        {
            "name": name,
            "steps": list(values),
            "values": [value if math.isfinite(value) else None for value in values.values()],
            "texts": [spelling.number(value, 4) for value in values.values()],
        }
        for name, values in sorted(scalars.items(), key=lambda pair: order.get(pair[0], len(order)))
    ]


def shape_tables(report: Report) -> list[Block]:
    """The shape table at each depth, with sortable numbers."""
    return [_shapes(shape_table) for shape_table in report.tables]


def _shapes(shapes: ShapeTable) -> Block:
    columns = ["name", "type", "in → out", "kernel/stride, pad"]
    numbers = ["params", "MACs", "memory"]
    rows = [_shape_row(row, at, shapes.depth) for at, row in enumerate(shapes.rows)]
    totals = shapes.totals
    sums = ["total, forward", "", "", "", count_cell(totals.params),
            {"sort": totals.macs, "text": spelling.at_least(totals.macs, totals.uncounted)},
            _size(totals.memory), ""]  # fmt: skip
    block = table([*columns, *numbers, "meaning of axes"], rows, numbers)
    return block | {"depth": shapes.depth.value, "totals": sums}


def _shape_row(row: ShapeRow, place: int, depth: Depth) -> list[Any]:
    links: dict[Depth, Any] = {Depth.LAYER: {"layer": row.name}, Depth.OP: {"op": place}}
    name = links.get(depth, row.name)
    kind = row.type if row.phase == Phase.FORWARD else f"{row.type}, {row.phase.value}"
    return [
        name,
        kind,
        {"sort": elements_of(row), "text": flow(row)},
        window(row.window),
        count_cell(row.params) if row.params else "",
        count_cell(row.macs) if row.macs != 0 else "",
        _size(row.memory) if row.memory != 0 else "",
        meaning(row),
    ]


def meaning(row: ShapeRow) -> str:
    """The meaning of an output's axes, such as batch × height/4 × channel; empty if unknown."""
    return " × ".join(axis or "?" for axis in row.axes) if any(row.axes) else ""


def elements_of(row: ShapeRow) -> int:
    """The number of elements of an output, by which shapes are sorted."""
    total = 1
    for size in row.shape or ():
        total *= size or 0
    return total


def count_cell(value: int | None) -> Block:
    """A sortable cell of a whole number."""
    return {"sort": -1 if value is None else value, "text": spelling.count(value)}


def _size(value: int | None) -> Block:
    return {"sort": -1 if value is None else value, "text": spelling.size(value)}


def _when(info: RunInfo) -> str:
    return f"{info.created}, ended {info.ended}" if info.ended else info.created


def _ended(info: RunInfo, report: Report) -> Iterator[Block]:
    steps = report.steps.every
    if info.status in (Status.INTERRUPTED, Status.RUNNING):
        last = f"after step {steps[-1]}" if steps else "before the first step"
        why = f" ({info.reason})" if info.reason else ""
        word = "was interrupted" if info.status == Status.INTERRUPTED else "was still being written"
        yield text(f"This run {word} {last}{why}. The page shows what was recorded so far.", "bad")
    elif not steps and info.failure is None:
        yield text("No step was run. The page shows only shapes and size origins.", "dim")
