"""The sections of a comparison of two runs, as lines that lead to layers: what `diff` tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.text import Text

from resnet_inspect.analysis.browse.distributions import KINDS
from resnet_inspect.analysis.diff.differences import (
    Change,
    Difference,
    Distance,
    DistributionsDiff,
    GraphDiff,
    Lone,
    Renaming,
    RunDiff,
    ScalarDiff,
)
from resnet_inspect.graph import Phase
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import AVERAGES, average_cells, average_name
from resnet_inspect.render.diff.values import changed_rows, value
from resnet_inspect.render.pages.findings_page import counted
from resnet_inspect.tui.panes.difference_lines import distance_text
from resnet_inspect.tui.run.places import Place
from resnet_inspect.tui.run.two_runs import CHANGED, ONLY_A, ONLY_B, STYLES, Compared
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import ARROW, broken, pair, sentence, title

# Longer lists are cut, and say so.
MOST = 300
LEGEND = (
    "distance: the earth mover's, as mean over these steps, in units of the numbers' spread, of "
    "weights in units of their size; moves: from one step to the next, in the run that moves more"
)
_T = TypeVar("_T")
_P = TypeVar("_P", Lone, Renaming, Change)


def difference_lines(compared: Compared, width: int) -> Iterator[Line]:
    """The sections of a comparison, those without a difference left out."""
    found = compared.found
    if found.empty:
        yield Line(Text("no difference", "bold"))
        seen = found.distributions
        if seen.compared:
            told = f"{seen.compared} tensors held the same (steps {_steps(seen)})"
            yield from sentence(told, width, "dim")
        return
    yield from sentence(_summary(found), width, "bold")
    yield from _values("Runs and settings", [*found.facts, *found.settings], width)
    yield from _graph(compared, width)
    yield from _distributions(compared, width)
    yield from _averages(found, width)
    yield from _scalars(found, width)
    yield from _findings(found, width)


def _summary(found: RunDiff) -> str:
    """The counts of all that follows."""
    graph, seen = found.graph, found.distributions
    what = "ops" if compared_by_op(found) else "layers"
    renamed = sum(not one.numbered for one in graph.renamed)
    counts = [
        (len(graph.changed), "changed"),
        (renamed, "renamed"),
        (len(graph.only_a), "only in A"),
        (len(graph.only_b), "only in B"),
    ]
    told = ", ".join(f"{spelling.count(n)} {text}" for n, text in counts if n)
    parts = [f"{spelling.count(graph.aligned)} {what} in both, {told or 'none changed'}"]
    if seen.compared:
        parts.append(f"{len(seen.rows)} of {seen.compared} tensors held other numbers")
    return "; ".join(parts)


def compared_by_op(found: RunDiff) -> bool:
    """Whether ops were compared instead of layers."""
    return found.graph.depth.value == "op"


def _values(name: str, rows: Sequence[Difference], width: int) -> Iterator[Line]:
    if rows:
        yield from title(f"{name}: A → B", width)
    for row in rows:
        yield from pair(row.name, f"{value(row.a)} → {value(row.b)}", width)


def _graph(compared: Compared, width: int) -> Iterator[Line]:
    graph = compared.found.graph
    if graph.totals:
        yield from title("Totals: A → B", width)
        for total in graph.totals:
            told = f"{spelling.count(total.a)} → {spelling.count(total.b)}"
            yield from pair(total.name.replace("_", " "), told, width)
    yield from _changed(compared, graph, width)
    yield from _renamed(compared, graph, width)
    for sign, name, rows in (
        (ONLY_A, "Only in A", graph.only_a),
        (ONLY_B, "Only in B", graph.only_b),
    ):
        if rows:
            yield from title(f"{name}: {len(rows)}", width)
        for row in _cut(rows):
            link = compared.shown(row.name, of_b=sign == ONLY_B)
            yield from _headed(sign, row.name, link, width)
            facts = [row.type, spelling.shape(row.shape)]
            facts += [f"{spelling.count(row.params)} parameters"] if row.params else []
            yield from _under("  ".join(filter(None, facts)), link, width)
        yield from _rest(rows, width)


def _changed(compared: Compared, graph: GraphDiff, width: int) -> Iterator[Line]:
    rows = _forward_first(sorted(graph.changed, key=only_rewired))
    if rows:
        yield from title(f"Changed: {len(rows)}, A → B", width)
    for row in _cut(rows):
        link = compared.shown(row.a)
        name = row.a if row.a == row.b else f"{row.a} → {row.b}"
        yield from _headed(CHANGED, name, link, width)
        for _, what, one, other in changed_rows([row]):
            yield from _under(f"{what}: {one} → {other}", link, width)
    yield from _rest(rows, width)


def _renamed(compared: Compared, graph: GraphDiff, width: int) -> Iterator[Line]:
    rows = _forward_first([one for one in graph.renamed if not one.numbered])
    if rows:
        yield from title(f"Renamed: {len(rows)}, A → B", width)
    for row in _cut(rows):
        yield from _headed(CHANGED, f"{row.a} → {row.b}", compared.shown(row.a), width)
    yield from _rest(rows, width)


def _distributions(compared: Compared, width: int) -> Iterator[Line]:
    seen = compared.found.distributions
    if not seen.compared:
        return
    if not seen.rows:
        told = f"all {seen.compared} tensors held the same (steps {_steps(seen)})"
        yield from title(f"Distributions: {told}", width)
        return
    told = f"{len(seen.rows)} of {seen.compared} tensors differ (steps {_steps(seen)})"
    yield from title(f"Distributions: {told}", width)
    yield from sentence(LEGEND, width, "dim")
    for kind in KINDS:
        rows = [row for row in seen.rows if row.kind == kind]
        if rows:
            yield from title(f"{kind}s, most different first", width)
        for row in _cut(rows):
            yield from _distance(compared, row, width)
        yield from _rest(rows, width)


def _distance(compared: Compared, row: Distance, width: int) -> Iterator[Line]:
    """The distance before the name, so that the column is read downwards."""
    output = ":" in row.tensor_a and ":" in row.tensor_b
    names = (row.layer_a, row.layer_b) if output else (row.tensor_a, row.tensor_b)
    name = names[0] if names[0] == names[1] else " → ".join(names)
    link = compared.shown(row.layer_a) or compared.shown(row.tensor_a.rpartition(":")[0])
    number = spelling.number(row.distance, 2)
    text, _, more = distance_text(row).partition("; ")
    del text
    head = f"{number:>8}  {name}"
    room = width - len(ARROW)
    if more and len(head) + 2 + len(more) <= room:
        yield _arrowed(Text(head).append(f"  {more}", "dim"), link)
        return
    first, *rest = broken(head, room)
    yield _arrowed(Text(first), link)
    for part in (*rest, *broken(more, width - 10)):
        if part:
            yield Line(Text(f"{'':10}{part}", "dim"), link)


def _averages(found: RunDiff, width: int) -> Iterator[Line]:
    if not found.averages:
        return
    yield from title("Moving averages: means, variances", width)
    yield from sentence(AVERAGES, width, "dim")
    for row in found.averages[:MOST]:
        yield from pair(average_name(row), ", ".join(average_cells(row)), width)


def _scalars(found: RunDiff, width: int) -> Iterator[Line]:
    seen = found.scalars
    if seen.empty:
        return
    yield from title("Scalars: A → B", width)
    for row in seen.rows:
        yield from pair(row.name, scalar_text(row), width)
    for side, names in (("A", seen.only_a), ("B", seen.only_b)):
        if names:
            yield from pair(f"only in {side}", ", ".join(names), width)


def scalar_text(row: ScalarDiff) -> str:
    """The last values, and the largest difference."""
    if not row.steps:
        return "at no step in both"
    ends = f"{spelling.number(row.a[-1])} → {spelling.number(row.b[-1])} at step {row.steps[-1]}"
    if row.largest is None:
        at = "" if row.step is None else f" at first at step {row.step}"
        return f"{ends}; not finite in one{at}"
    return f"{ends}; largest B − A {spelling.number(row.largest)} at step {row.step}"


def _findings(found: RunDiff, width: int) -> Iterator[Line]:
    seen = found.findings
    if seen is None or seen.empty:
        return
    yield from title("Findings", width)
    for side, rows in (("A", seen.only_a), ("B", seen.only_b)):
        if rows:
            yield from pair(f"only in {side}", counted(rows), width)
            for one in rows:
                yield from pair("", "  ".join(filter(None, (one.rule, str(one.place)))), width)


def _headed(sign: str, name: str, link: Place | None, width: int) -> Iterator[Line]:
    """A sign and a name, with an arrow where it leads somewhere."""
    first, *rest = broken(name, width - 2 - len(ARROW)) or [""]
    yield _arrowed(Text().append(f"{sign} ", STYLES[sign]).append(first), link)
    for part in rest:
        yield Line(Text(f"  {part}"), link)


def _under(text: str, link: Place | None, width: int) -> Iterator[Line]:
    for part in broken(text, width - 4):
        yield Line(Text(f"    {part}", "dim"), link)


def _arrowed(text: Text, link: Place | None) -> Line:
    return Line(text.append(ARROW, "bold") if link is not None else text, link)


def _cut(rows: Sequence[_T]) -> Sequence[_T]:
    return rows[:MOST]


def _rest(rows: Sequence[object], width: int) -> Iterator[Line]:
    if len(rows) > MOST:
        told = f"… and {len(rows) - MOST} more; `diff --all` prints them"
        yield from sentence(told, width, "dim")


def only_rewired(change: Change) -> bool:
    """Whether it only takes other inputs: that follows from other changes, and is told after."""
    return all(one.aspect in ("inputs", "control inputs") for one in change.differences)


def _forward_first(rows: Sequence[_P]) -> list[_P]:
    return sorted(rows, key=lambda row: row.phase != Phase.FORWARD)


def _steps(seen: DistributionsDiff) -> str:
    told = ", ".join(map(str, seen.steps))
    return told + (f" of {seen.common} in common" if len(seen.steps) < seen.common else "")
