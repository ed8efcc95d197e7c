"""Lines of the Differences pane: the sections of `diff`, with links to layers."""

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
    Renaming,
    RunDiff,
    ScalarDiff,
    Unmatched,
)
from resnet_inspect.graph import Phase
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import (
    AVERAGES,
    LEGEND,
    average_cells,
    average_name,
    verdict,
)
from resnet_inspect.render.diff.values import changed_rows, value
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.pages.findings_page import findings_count
from resnet_inspect.tui.panes.difference_lines import distance_text
from resnet_inspect.tui.run.places import Place
from resnet_inspect.tui.run.two_runs import CHANGED, ONLY_A, ONLY_B, STYLES, ComparisonResult
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import ARROW, pair, sentence, title

# Longer lists are cut, with a line that gives the number of hidden entries.
MAX_ENTRIES = 300
_T = TypeVar("_T")
_P = TypeVar("_P", Unmatched, Renaming, Change)


def difference_lines(result: ComparisonResult, width: int) -> Iterator[Line]:
    """Return the sections that contain a difference."""
    diff = result.diff
    if diff.empty:
        yield Line(Text("no difference", "bold"))
        tensors = diff.distributions
        if tensors.compared:
            text = f"all {tensors.compared} tensors are equal (steps {_steps(tensors)})"
            yield from sentence(text, width, "dim")
        return
    yield from sentence(_summary(diff), width, "bold")
    yield from _values("Runs and settings", [*diff.facts, *diff.settings], width)
    yield from _graph(result, width)
    yield from _distributions(result, width)
    yield from _averages(diff, width)
    yield from _scalars(diff, width)
    yield from _findings(diff, width)


def _summary(diff: RunDiff) -> str:
    """Count the differences of all sections."""
    graph, tensors = diff.graph, diff.distributions
    unit = "ops" if compared_by_op(diff) else "layers"
    renamed = sum(not renaming.numbered for renaming in graph.renamed)
    counts = [
        (len(graph.changed), "changed"),
        (renamed, "renamed"),
        (len(graph.only_a), "only in A"),
        (len(graph.only_b), "only in B"),
    ]
    changes = ", ".join(f"{spelling.count(n)} {change}" for n, change in counts if n)
    parts = [f"{spelling.count(graph.aligned)} {unit} in both, {changes or 'none changed'}"]
    if tensors.compared:
        parts.append(f"{len(tensors.rows)} of {tensors.compared} tensors differ")
    return ". ".join(parts) + "."


def compared_by_op(diff: RunDiff) -> bool:
    """Whether ops were compared instead of layers."""
    return diff.graph.depth.value == "op"


def _values(name: str, rows: Sequence[Difference], width: int) -> Iterator[Line]:
    if rows:
        yield from title(f"{name}: A → B", width)
    for row in rows:
        yield from pair(row.name, f"{value(row.a)} → {value(row.b)}", width)


def _graph(result: ComparisonResult, width: int) -> Iterator[Line]:
    graph = result.diff.graph
    if graph.totals:
        yield from title("Totals: A → B", width)
        for total in graph.totals:
            text = f"{spelling.count(total.a)} → {spelling.count(total.b)}"
            yield from pair(total.name.replace("_", " "), text, width)
    yield from _changed(result, graph, width)
    yield from _renamed(result, graph, width)
    for sign, name, rows in (
        (ONLY_A, "Only in A", graph.only_a),
        (ONLY_B, "Only in B", graph.only_b),
    ):
        if rows:
            yield from title(f"{name}: {len(rows)}", width)
        for row in _cut(rows):
            link = result.place_in_tree(row.name, of_b=sign == ONLY_B)
            yield from _sign_and_name(sign, row.name, link, width)
            facts = [row.type, spelling.shape(row.shape)]
            facts += [f"{spelling.count(row.params)} parameters"] if row.params else []
            yield from _indented("  ".join(filter(None, facts)), link, width)
        yield from _hidden_count(rows, width)


def _changed(result: ComparisonResult, graph: GraphDiff, width: int) -> Iterator[Line]:
    rows = _forward_first(sorted(graph.changed, key=only_rewired))
    if rows:
        yield from title(f"Changed: {len(rows)}, A → B", width)
    for row in _cut(rows):
        link = result.place_in_tree(row.a)
        name = row.a if row.a == row.b else f"{row.a} → {row.b}"
        yield from _sign_and_name(CHANGED, name, link, width)
        for _, aspect, in_a, in_b in changed_rows([row]):
            yield from _indented(f"{aspect}: {in_a} → {in_b}", link, width)
    yield from _hidden_count(rows, width)


def _renamed(result: ComparisonResult, graph: GraphDiff, width: int) -> Iterator[Line]:
    rows = _forward_first([row for row in graph.renamed if not row.numbered])
    if rows:
        yield from title(f"Renamed: {len(rows)}, A → B", width)
    for row in _cut(rows):
        yield from _sign_and_name(CHANGED, f"{row.a} → {row.b}", result.place_in_tree(row.a), width)
    yield from _hidden_count(rows, width)


def _distributions(result: ComparisonResult, width: int) -> Iterator[Line]:
    tensors = result.diff.distributions
    if not tensors.compared:
        return
    if not tensors.rows:
        text = f"all {tensors.compared} tensors are equal (steps {_steps(tensors)})"
        yield from title(f"Distributions: {text}", width)
        return
    text = f"{len(tensors.rows)} of {tensors.compared} tensors differ (steps {_steps(tensors)})"
    yield from title(f"Distributions: {text}", width)
    yield from sentence(verdict(tensors), width)
    for line in LEGEND:
        if line.startswith(("distance", "per step")):  # what `distance_text` shows
            yield from sentence(line, width, "dim")
    for kind in KINDS:
        rows = [row for row in tensors.rows if row.kind == kind]
        if rows:
            yield from title(f"{kind}s, most different first", width)
        for row in _cut(rows):
            yield from _distance(result, row, width)
        yield from _hidden_count(rows, width)


def _distance(result: ComparisonResult, row: Distance, width: int) -> Iterator[Line]:
    """Write the distance before the name, so that distances form a column."""
    output = ":" in row.tensor_a and ":" in row.tensor_b
    names = (row.layer_a, row.layer_b) if output else (row.tensor_a, row.tensor_b)
    name = names[0] if names[0] == names[1] else " → ".join(names)
    link = result.place_in_tree(row.layer_a) or result.place_in_tree(
        row.tensor_a.rpartition(":")[0]
    )
    number = spelling.number(row.distance, 2)
    more = distance_text(row).partition("; ")[2]
    head = f"{number:>8}  {name}"
    space = width - len(ARROW)
    if more and len(head) + 2 + len(more) <= space:
        yield _with_arrow(Text(head).append(f"  {more}", "dim"), link)
        return
    first, *rest = wrapped(head, space)
    yield _with_arrow(Text(first), link)
    for part in (*rest, *wrapped(more, width - 10)):
        if part:
            yield Line(Text(f"{'':10}{part}", "dim"), link)


def _averages(diff: RunDiff, width: int) -> Iterator[Line]:
    if not diff.averages:
        return
    yield from title("Moving averages: means, variances", width)
    yield from sentence(AVERAGES, width, "dim")
    for row in diff.averages[:MAX_ENTRIES]:
        yield from pair(average_name(row), ", ".join(average_cells(row)), width)


def _scalars(diff: RunDiff, width: int) -> Iterator[Line]:
    scalars = diff.scalars
    if scalars.empty:
        return
    yield from title("Scalars: A → B", width)
    for row in scalars.rows:
        yield from pair(row.name, scalar_text(row), width)
    for side, names in (("A", scalars.only_a), ("B", scalars.only_b)):
        if names:
            yield from pair(f"only in {side}", ", ".join(names), width)


def scalar_text(row: ScalarDiff) -> str:
    """Return the last values and the largest difference of a scalar."""
    if not row.steps:
        return "no common step"
    ends = f"{spelling.number(row.a[-1])} → {spelling.number(row.b[-1])} at step {row.steps[-1]}"
    if row.largest is None:
        at = "" if row.step is None else f", first at step {row.step}"
        return f"{ends}; not finite in one run{at}"
    return f"{ends}; largest B − A {spelling.number(row.largest)} at step {row.step}"


def _findings(diff: RunDiff, width: int) -> Iterator[Line]:
    findings = diff.findings
    if findings is None or findings.empty:
        return
    yield from title("Findings", width)
    for side, rows in (("A", findings.only_a), ("B", findings.only_b)):
        if rows:
            yield from pair(f"only in {side}", findings_count(rows), width)
            for row in rows:
                yield from pair("", "  ".join(filter(None, (row.rule, str(row.place)))), width)


def _sign_and_name(sign: str, name: str, link: Place | None, width: int) -> Iterator[Line]:
    """Write a sign and a name, with an arrow if the line is a link."""
    first, *rest = wrapped(name, width - 2 - len(ARROW)) or [""]
    yield _with_arrow(Text().append(f"{sign} ", STYLES[sign]).append(first), link)
    for part in rest:
        yield Line(Text(f"  {part}"), link)


def _indented(text: str, link: Place | None, width: int) -> Iterator[Line]:
    for part in wrapped(text, width - 4):
        yield Line(Text(f"    {part}", "dim"), link)


def _with_arrow(text: Text, link: Place | None) -> Line:
    return Line(text.append(ARROW, "bold") if link is not None else text, link)


def _cut(rows: Sequence[_T]) -> Sequence[_T]:
    return rows[:MAX_ENTRIES]


def _hidden_count(rows: Sequence[object], width: int) -> Iterator[Line]:
    if len(rows) > MAX_ENTRIES:
        text = f"… and {len(rows) - MAX_ENTRIES} more; `diff --all` prints them"
        yield from sentence(text, width, "dim")


def only_rewired(change: Change) -> bool:
    """Whether only the inputs changed, which follows from other changes."""
    return all(row.aspect in ("inputs", "control inputs") for row in change.differences)


def _forward_first(rows: Sequence[_P]) -> list[_P]:
    return sorted(rows, key=lambda row: row.phase != Phase.FORWARD)


def _steps(tensors: DistributionsDiff) -> str:
    text = ", ".join(map(str, tensors.steps))
    return text + (f" of {tensors.common} in common" if len(tensors.steps) < tensors.common else "")
