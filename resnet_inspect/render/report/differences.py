"""The sections of a page of two runs: what differs in words, settings, findings, distances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from resnet_inspect.analysis.browse.distributions import KINDS
from resnet_inspect.analysis.diff.comparison import Comparison
from resnet_inspect.analysis.diff.differences import Distance
from resnet_inspect.analysis.diff.distributions import Recorded
from resnet_inspect.commands import Command, spelled
from resnet_inspect.graph import Note
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import LEGEND, distance_cells, movement_of, tensor_name
from resnet_inspect.render.diff.values import value
from resnet_inspect.render.diff.words import Courses, distributions, sentences
from resnet_inspect.render.pages.answer_page import headline
from resnet_inspect.render.pages.findings_page import counted
from resnet_inspect.render.report.pairs import Pairs
from resnet_inspect.render.report.sections import (
    Block,
    failure_block,
    finding,
    pairs,
    scalar_rows,
    section,
    table,
    text,
)
from resnet_inspect.store.info import RunInfo

NAMES = ("A", "B")
Rows = Sequence[tuple[str, Any, Any]]


def sections(
    found: Comparison, infos: Sequence[RunInfo], files: Sequence[str], scalars: Sequence[Courses]
) -> Iterator[Block]:
    """What stands before the layers; of A, then of B, in each pair."""
    runs = [
        (name, f"{file}\n{headline(info)}")
        for name, file, info in zip(NAMES, files, infos, strict=True)
    ]
    yield section("in-short", "In short", pairs(runs), *_verdict(found, *scalars))
    for name, info in zip(NAMES, infos, strict=True):
        if info.failure is not None:
            title = f"{name} failed while {info.failure.during}"
            yield section(f"{name.lower()}-failed", title, failure_block(info.failure))
    yield _values("settings", "Settings", "setting", found.settings)
    if found.diff.findings is not None:
        yield section("findings", "Findings", *_findings(found))


def _verdict(found: Comparison, a: Courses, b: Courses) -> Iterator[Block]:
    told = list(sentences(found.diff, a, b))
    if not found.diff.empty:
        yield pairs(told)
        return
    yield text(
        "Nothing differs: settings, layers, sizes, scalars, findings, outputs of layers with their "
        "gradients, and weights are the same in both runs, as far as they were recorded."
    )
    yield pairs([(label, line) for label, line in told if label in ("distributions", "training")])


def _values(name: str, title: str, what: str, rows: Rows) -> Block:
    """Side by side, those that differ first; the others are folded."""
    differing = [row for row in rows if row[1] != row[2]]
    same = [row for row in rows if row[1] == row[2]]
    blocks: list[Block] = []
    if differing:
        told = [[f"≠ {key}", value(one), value(other)] for key, one, other in differing]
        blocks.append(table([what, "A", "B"], told))
    else:
        blocks.append(text(f"All {len(rows)} are the same in both runs." if rows else "None."))
    if same:
        told = [[key, value(one)] for key, one, _ in same]
        count = f"{len(same)} that are the same in both"
        blocks.append({"fold": count, "blocks": [table([what, "A and B"], told)]})
    return section(name, f"{title}: {len(differing)} of {len(rows)} differ", *blocks)


def _findings(found: Comparison) -> Iterator[Block]:
    lone = found.diff.findings
    if lone is None:
        return
    for title, rows in (("only in A", lone.only_a), ("only in B", lone.only_b)):
        yield {"heading": f"{counted(rows)} {title}"} if rows else text(f"None {title}.", "dim")
        yield from map(finding, rows)
    if not found.shared:
        yield text("None in both.", "dim")
    else:
        yield {"heading": f"{counted(found.shared)} in both"}
        told = [finding(one) for one in found.shared]
        yield {"fold": "What both have, as it was measured in A", "blocks": told}


def distance_tables(found: Comparison, names: Pairs) -> list[Block]:
    """A table for each kind of tensor, most different first; `course` is that of all steps."""
    seen = found.diff.distributions
    tables = []
    for kind in KINDS:
        rows = [row for row in seen.rows if row.kind == kind]
        if rows:
            tables.append(_distances(kind, rows, seen.steps, names))
    return tables


def _distances(kind: str, rows: Sequence[Distance], steps: Sequence[int], names: Pairs) -> Block:
    cells = [distance_cells(row, steps) for row in rows]
    columns = list(cells[0])
    if not any(row.not_finite_a or row.not_finite_b for row in rows):
        columns.remove("not finite")
    made = [
        [_place(row, names), {"line": list(row.distances)}]
        + [{"sort": _sort(row, name), "text": told[name]} for name in columns]
        for row, told in zip(rows, cells, strict=True)
    ]
    title = "tensor" if kind == "weight" else "layer"
    found = table([title, "over the steps", *columns], made, columns)
    return found | {"kind": f"{kind}s"}


def _place(row: Distance, names: Pairs) -> Block:
    return {"layer": names.name_of(row), "text": tensor_name(row)}


def _sort(row: Distance, column: str) -> float:
    """The number that a cell stands for; less than any other for none."""
    movement, apart = movement_of(row), row.distance
    found: float | None
    if column == "over":
        found = None
        if apart is not None and movement is not None and apart > movement:
            found = apart / movement if movement else math.inf
    elif column.startswith("step "):
        found = row.first if column == f"step {row.steps[0]}" else row.last
    else:
        bad = row.not_finite_a + row.not_finite_b
        known = {"distance": apart, "KS": row.ks, "moves": movement, "not finite": bad}
        found = known[column]
    return -1.0 if found is None else min(found, 1e300)


def distance_remarks(found: Comparison) -> list[str]:
    """What stands above the tables."""
    seen = found.diff.distributions
    if not seen.rows:
        told = distributions(seen)
        return [told[0].upper() + told[1:] + "."]
    steps = f"Most different first, at {len(seen.steps)} steps that both recorded. "
    return [steps + LEGEND[0].upper() + LEGEND[1:] + "."]


def courses(rows: Sequence[Distance]) -> list[dict[str, Any]]:
    """Each tensor's distance at each step, as a curve, and what is told of it."""
    return [
        {
            "steps": list(row.steps),
            "values": list(row.distances),
            "texts": [spelling.number(one, 3) for one in row.distances],
            "told": _told(row),
        }
        for row in rows
    ]


def _told(row: Distance) -> str:
    parts = [f"distance {spelling.number(row.distance, 3)} in mean over {len(row.steps)} steps"]
    if row.largest is not None and len(row.steps) > 1:
        parts.append(f"most at step {row.step}: {spelling.number(row.largest, 3)}")
    moves = ((name, one) for name, one in zip(NAMES, (row.movement_a, row.movement_b), strict=True))
    known = [f"{spelling.number(one, 3)} in {name}" for name, one in moves if one is not None]
    if known:
        parts.append(f"from one step to the next it moves {' and '.join(known)}")
    if row.ks is not None:
        parts.append(f"largest gap of the distribution functions {spelling.number(row.ks, 3)}")
    unit = "" if row.scale is None else f"; in units of {spelling.number(row.scale, 3)}"
    return "; ".join(parts) + unit


def scalar_curves(a: Courses, b: Courses) -> list[dict[str, Any]]:
    """Each scalar with its curve in A and in B."""
    sides = [{one["name"]: one for one in scalar_rows(side)} for side in (a, b)]
    return [
        {
            "name": name,
            "curves": [
                side[name] | {"label": label, "kind": label.lower()}
                for label, side in zip(NAMES, sides, strict=True)
                if name in side
            ],
        }
        for name in dict.fromkeys([*sides[0], *sides[1]])
    ]


def closing(found: Comparison, files: Sequence[str], missing: Sequence[Note]) -> Iterator[Block]:
    """What stands at the end: how the runs were made, and what the page does not tell."""
    yield _values("runs", "Runs", "fact", found.facts)
    commands = [
        spelled(Command("report", (Path(file),), ("-o", f"{name}.html")))
        for name, file in zip("ab", files, strict=True)
    ]
    rows = [[note.subject, note.text] for note in missing]
    rows.append(["each run", "why each axis has its size, ops and variables stand in the report of "
                 f"one run: {'; '.join(commands)}"])  # fmt: skip
    yield section("not-observed", "Not observed", table(["what", "why"], rows))


def missing_notes(
    found: Comparison, recorded: Sequence[Recorded], notes: Sequence[Sequence[Note]]
) -> list[Note]:
    """What could not be compared, then what each run did not observe itself."""
    told = []
    lone = [sum(pair[1 - side] is None for pair in found.tensors) for side in (0, 1)]
    seen = found.diff.distributions
    for name, one in zip(NAMES, recorded, strict=True):
        if not one.steps:
            told.append(Note("distributions", f"{name} recorded no tensor at any step"))
        elif seen.common < len(one.steps):
            text_ = f"{seen.common} of the {len(one.steps)} recorded steps of {name} are in both"
            told.append(Note("steps", text_))
    for name, count in zip(NAMES, lone, strict=True):
        if count:
            told.append(Note("tensors", f"{count} were recorded in {name} alone"))
    layers = {row.name for pair in found.pairs for row in (pair.a, pair.b) if row is not None}
    loose = {
        tap.tensor for pair in found.tensors for tap in pair if tap and tap.layer not in layers
    }
    if loose:
        text_ = f"{len(loose)} that lie in no layer stand in the report of one run only"
        told.append(Note("tensors", text_))
    for name, own in zip(NAMES, notes, strict=True):
        told += [Note(f"{name}: {note.subject}", note.text) for note in own]
    return told
