"""Lines with the differences of one layer, op, variable or scope between two runs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from resnet_inspect.analysis.diff.differences import Distance
from resnet_inspect.graph import TensorSpec
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.values import changed_rows
from resnet_inspect.tui.run.places import Place
from resnet_inspect.tui.run.two_runs import (
    CHANGED,
    MEANINGS,
    ONLY_A,
    ONLY_B,
    STYLES,
    VALUES,
    ComparisonResult,
    RunPlace,
    TwoRuns,
)
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import pair, sentence

MAX_ENTRIES = 60
# Labels of tensors that are not weights.
KINDS = {"activation": "output", "gradient": "gradient"}


def place_lines(two: TwoRuns, place: Place, width: int) -> Iterator[Line]:
    """Return the differences of a place, or a waiting text until the runs are compared."""
    result = two.result
    if result is None:
        yield from sentence("comparing the runs ...", width, "dim")
        return
    sides = two.sides(place)
    if len(sides) == 1:
        sign = ONLY_A if sides[0].sign == "A" else ONLY_B
        yield Line(Text(f"{sign} {MEANINGS[sign]}", f"bold {STYLES[sign]}"))
        return
    if place.kind == "scope":
        yield from _scope(result, place, width)
        return
    yield from _both(result, place, sides[0], sides[1], width)


def _both(
    result: ComparisonResult, place: Place, a: RunPlace, b: RunPlace, width: int
) -> Iterator[Line]:
    assert a.place is not None
    assert b.place is not None
    rows = []
    if a.place.name != b.place.name:
        rows.append(("name", f"{a.place.name} → {b.place.name}"))
    change = result.changes.get(place.name)
    compared_alike = result.by_op == (place.kind == "op")
    if place.kind == "variable" or not compared_alike:
        rows += _specs(a, b)
    elif change is not None:
        rows += [(aspect, f"{in_a} → {in_b}") for _, aspect, in_a, in_b in changed_rows([change])]
    distances = [row for row in result.distances.get(place.name, ()) if _concerns(row, place)]
    sign = CHANGED if rows else VALUES if distances else ""
    if sign:
        yield Line(Text(f"{sign} {MEANINGS[sign]}: A → B", f"bold {STYLES[sign]}"))
    else:
        yield from sentence("no difference between A and B", width, "dim")
    for label, text in rows:
        yield from pair(label, text, width)
    for row in distances:
        yield from pair(_label(row, place), distance_text(row), width)


def _specs(a: RunPlace, b: RunPlace) -> Iterator[tuple[str, str]]:
    """Return the shapes and dtypes of the outputs, or of the variables, that differ."""
    spec_a, spec_b = _spec(a), _spec(b)
    if spec_a is None or spec_b is None or spec_a == spec_b:
        return
    if spec_a.shape != spec_b.shape:
        yield "shape", f"{spelling.shape(spec_a.shape)} → {spelling.shape(spec_b.shape)}"
    if spec_a.dtype != spec_b.dtype:
        yield "dtype", f"{spec_a.dtype} → {spec_b.dtype}"


def _spec(side: RunPlace) -> TensorSpec | None:
    place, graph = side.place, side.recording.graph
    if place is None:
        return None
    if place.kind == "variable":
        return graph.variable_by_name[place.name].spec
    if place.kind == "layer":
        return graph.spec(graph.layer_by_name[place.name].output)
    outputs = graph.op_by_name[place.name].outputs
    return outputs[0] if outputs else None


def _concerns(row: Distance, place: Place) -> bool:
    """Whether a row is about this place, not about a place of another kind with its name."""
    if place.kind == "layer":
        return row.layer_a == place.name
    names = row.tensor_a, row.tensor_a.rpartition(":")[0]
    return place.name in names


def _label(row: Distance, place: Place) -> str:
    if row.kind == "weight" or ":" not in row.tensor_a:
        name = row.tensor_a.rpartition("/")[2] if place.kind == "layer" else "values"
        return name if row.kind == "weight" else f"{name} gradient"
    return KINDS.get(row.kind, row.kind)


def distance_text(row: Distance) -> str:
    """Return the distance between the runs, and the movement per step within a run."""
    known = [movement for movement in (row.movement_a, row.movement_b) if movement is not None]
    parts = [f"distance {spelling.number(row.distance, 2)}"]
    if row.first != row.last:
        first, last = spelling.number(row.first, 2), spelling.number(row.last, 2)
        parts.append(f"first {first}, last {last}")
    if known:
        parts.append(f"per step {spelling.number(max(known), 2)}")
    if row.not_finite_a or row.not_finite_b:
        parts.append(f"not finite: {row.not_finite_a:,} in A, {row.not_finite_b:,} in B")
    return "; ".join(parts)


def _scope(result: ComparisonResult, place: Place, width: int) -> Iterator[Line]:
    """Count and list the differences inside a scope."""
    owners = result.union.graph.layer_of_op
    names = [leaf.name for leaf in place.leaves]
    if not result.by_op:
        names = [owners[name].name if name in owners else name for name in names]
    signs = {name: result.signs.get(name, "") for name in dict.fromkeys(names)}
    marked = [(name, sign) for name, sign in signs.items() if sign and sign != VALUES]
    with_values = sum(sign == VALUES for sign in signs.values())
    if not marked and not with_values:
        yield from sentence("no difference between A and B", width, "dim")
        return
    counts = [f"{sum(s == sign for _, s in marked)} {MEANINGS[sign]}"
              for sign in (CHANGED, ONLY_A, ONLY_B)
              if any(s == sign for _, s in marked)]  # fmt: skip
    counts += [f"{with_values} with {MEANINGS[VALUES]}"] if with_values else []
    yield from sentence(f"Of {len(signs)} in this group: {', '.join(counts)}", width, "bold")
    layers = result.union.graph.layer_by_name
    for name, sign in marked[:MAX_ENTRIES]:
        link = Place("layer" if name in layers else "op", name)
        for line in pair(f"{sign} {MEANINGS[sign]}", name, width, link):
            line.text.stylize(STYLES[sign], 0, 1)
            yield line
    if len(marked) > MAX_ENTRIES:
        yield from pair("", f"… and {len(marked) - MAX_ENTRIES} more", width)


def with_tree_links(two: TwoRuns, lines: list[Line]) -> list[Line]:
    """Return lines of B with links to the tree, which uses the names of A."""
    return [Line(line.text, two.link_in_tree(line.link)) for line in lines]
