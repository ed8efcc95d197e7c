"""The sections of a page of two runs: summary, settings, findings, distances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from resnet_inspect.analysis.browse.distributions import KINDS
from resnet_inspect.analysis.diff.comparison import Comparison
from resnet_inspect.analysis.diff.differences import Distance
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.commands import Command, spelled
from resnet_inspect.graph import Note
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import LEGEND, distance_cells, movement_of, tensor_name
from resnet_inspect.render.diff.values import value
from resnet_inspect.render.diff.words import Courses, distributions, sentences
from resnet_inspect.render.pages.answer_page import headline
from resnet_inspect.render.pages.blocks import failure_part
from resnet_inspect.render.pages.findings_page import findings_count
from resnet_inspect.render.report.pairs import Pairs
from resnet_inspect.render.report.sections import (
    Block,
    drawn,
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
    comparison: Comparison,
    infos: Sequence[RunInfo],
    files: Sequence[str],
    scalars: Sequence[Courses],
    failures: Sequence[FailureFacts | None],
) -> Iterator[Block]:
    """The sections before the layers. All but `comparison` have an item for A, then for B."""
    runs = [
        (name, f"{file}\n{headline(info)}")
        for name, file, info in zip(NAMES, files, infos, strict=True)
    ]
    yield section("summary", "Summary", pairs(runs), *_verdict(comparison, *scalars))
    for name, facts in zip(NAMES, failures, strict=True):
        if facts is not None:
            title = f"{name} failed while {facts.failure.during}"
            yield section(f"{name.lower()}-failed", title, *drawn(failure_part(facts)))
    yield _values("settings", "Settings", "setting", comparison.settings)
    if comparison.diff.findings is not None:
        yield section("findings", "Findings", *_findings(comparison))


def _verdict(comparison: Comparison, a: Courses, b: Courses) -> Iterator[Block]:
    lines = list(sentences(comparison.diff, a, b))
    if not comparison.diff.empty:
        yield pairs(lines)
        return
    yield text(
        "No difference: settings, layers, sizes, scalars and findings are equal. So are all "
        "recorded outputs, gradients and weights."
    )
    yield pairs([(label, line) for label, line in lines if label in ("distributions", "training")])


def _values(name: str, title: str, what: str, rows: Rows) -> Block:
    """Values side by side, first those that differ, then the equal ones folded."""
    differing = [row for row in rows if row[1] != row[2]]
    same = [row for row in rows if row[1] == row[2]]
    blocks: list[Block] = []
    if differing:
        cells = [[f"≠ {key}", value(a), value(b)] for key, a, b in differing]
        blocks.append(table([what, "A", "B"], cells))
    else:
        blocks.append(text(f"All {len(rows)} are equal in both runs." if rows else "None."))
    if same:
        cells = [[key, value(a)] for key, a, _ in same]
        count = f"{len(same)} equal in both"
        blocks.append({"fold": count, "blocks": [table([what, "A and B"], cells)]})
    return section(name, f"{title}: {len(differing)} of {len(rows)} differ", *blocks)


def _findings(comparison: Comparison) -> Iterator[Block]:
    diff = comparison.diff.findings
    if diff is None:
        return
    for title, rows in (("only in A", diff.only_a), ("only in B", diff.only_b)):
        yield (
            {"heading": f"{findings_count(rows)} {title}"}
            if rows
            else text(f"None {title}.", "dim")
        )
        yield from map(finding, rows)
    if not comparison.shared:
        yield text("None in both.", "dim")
    else:
        yield {"heading": f"{findings_count(comparison.shared)} in both"}
        yield {
            "fold": "Findings of both, as measured in A",
            "blocks": [finding(row) for row in comparison.shared],
        }


def distance_tables(comparison: Comparison, names: Pairs) -> list[Block]:
    """A table for each kind of tensor, largest distance first."""
    diff = comparison.diff.distributions
    tables = []
    for kind in KINDS:
        rows = [row for row in diff.rows if row.kind == kind]
        if rows:
            tables.append(_distances(kind, rows, diff.steps, names))
    return tables


def _distances(kind: str, rows: Sequence[Distance], steps: Sequence[int], names: Pairs) -> Block:
    cells = [distance_cells(row, steps) for row in rows]
    columns = list(cells[0])
    if not any(row.not_finite_a or row.not_finite_b for row in rows):
        columns.remove("not finite")
    table_rows = [
        [_place(row, names), {"line": list(row.distances)}]
        + [{"sort": _sort(row, name), "text": texts[name]} for name in columns]
        for row, texts in zip(rows, cells, strict=True)
    ]
    title = "tensor" if kind == "weight" else "layer"
    block = table([title, "over the steps", *columns], table_rows, columns)
    return block | {"kind": f"{kind}s"}


def _place(row: Distance, names: Pairs) -> Block:
    return {"layer": names.name_of(row), "text": tensor_name(row)}


def _sort(row: Distance, column: str) -> float:
    """The number by which a cell is sorted; -1 for no number."""
    movement, distance = movement_of(row), row.distance
    number: float | None
    if column == "ratio":
        number = None
        if distance is not None and movement is not None and distance > movement:
            number = distance / movement if movement else math.inf
    elif column.startswith("step "):
        number = row.first if column == f"step {row.steps[0]}" else row.last
    else:
        bad = row.not_finite_a + row.not_finite_b
        known = {"distance": distance, "KS": row.ks, "per step": movement, "not finite": bad}
        number = known[column]
    return -1.0 if number is None else min(number, 1e300)


def distance_remarks(comparison: Comparison) -> list[str]:
    """The texts above the tables."""
    diff = comparison.diff.distributions
    if not diff.rows:
        verdict = distributions(diff)
        return [verdict[0].upper() + verdict[1:] + "."]
    steps = f"Largest distance first, at {len(diff.steps)} common steps."
    return [steps, *LEGEND]


def courses(rows: Sequence[Distance]) -> list[dict[str, Any]]:
    """The distance of each tensor over the steps, as a curve with a text."""
    return [
        {
            "steps": list(row.steps),
            "values": list(row.distances),
            "texts": [spelling.number(distance, 3) for distance in row.distances],
            "text": _described(row),
        }
        for row in rows
    ]


def _described(row: Distance) -> str:
    count = len(row.steps)
    steps = f"{count} step{'s' * (count != 1)}"
    parts = [f"Mean distance over {steps}: {spelling.number(row.distance, 3)}"]
    if row.largest is not None and count > 1:
        parts.append(f"Largest distance: {spelling.number(row.largest, 3)} at step {row.step}")
    moves = zip(NAMES, (row.movement_a, row.movement_b), strict=True)
    known = [f"{spelling.number(move, 3)} in {name}" for name, move in moves if move is not None]
    if known:
        parts.append(f"Distance between neighbouring steps: {', '.join(known)}")
    if row.ks is not None:
        parts.append(f"Kolmogorov-Smirnov statistic: {spelling.number(row.ks, 3)}")
    if row.scale is not None:
        parts.append(f"Unit of distances: {spelling.number(row.scale, 3)}")
    return ". ".join(parts)


def scalar_curves(a: Courses, b: Courses) -> list[dict[str, Any]]:
    """Each scalar with its curves in A and in B."""
    sides = [{row["name"]: row for row in scalar_rows(side)} for side in (a, b)]
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


def closing(
    comparison: Comparison, files: Sequence[str], missing: Sequence[Note]
) -> Iterator[Block]:
    """The sections at the end: facts of both runs, and what the page does not show."""
    yield _values("runs", "Runs", "fact", comparison.facts)
    commands = [
        spelled(Command("report", (Path(file),), ("-o", f"{name}.html")))
        for name, file in zip("ab", files, strict=True)
    ]
    rows = [[note.subject, note.text] for note in missing]
    rows.append(["each run", "size origins, ops and variables are in the report of each run: "
                 + " or ".join(commands)])  # fmt: skip
    yield section("not-observed", "Not observed", table(["what", "why"], rows))


def missing_notes(
    comparison: Comparison, recorded: Sequence[RecordedSummaries], notes: Sequence[Sequence[Note]]
) -> list[Note]:
    """Notes about parts that could not be compared, then the notes of each run."""
    missing = []
    unmatched = [sum(pair[1 - side] is None for pair in comparison.tensors) for side in (0, 1)]
    common = comparison.diff.distributions.common
    for name, own in zip(NAMES, recorded, strict=True):
        if not own.steps:
            missing.append(Note("distributions", f"{name} recorded no tensor at any step"))
        elif common < len(own.steps):
            text_ = f"{common} of the {len(own.steps)} recorded steps of {name} are in both runs"
            missing.append(Note("steps", text_))
    for name, count in zip(NAMES, unmatched, strict=True):
        if count:
            missing.append(Note("tensors", f"{count} were recorded only in {name}"))
    layers = {row.name for pair in comparison.pairs for row in (pair.a, pair.b) if row is not None}
    outside = {
        tap.tensor for pair in comparison.tensors for tap in pair if tap and tap.layer not in layers
    }
    if outside:
        text_ = f"{len(outside)} outside of layers are only in the report of each run"
        missing.append(Note("tensors", text_))
    for name, of_run in zip(NAMES, notes, strict=True):
        missing += [Note(f"{name}: {note.subject}", note.text) for note in of_run]
    return missing
