"""What is different of one layer, op, variable or scope of two runs, as lines."""

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
    MEANING,
    NUMBERS,
    ONLY_A,
    ONLY_B,
    STYLES,
    Compared,
    Selected,
    TwoRuns,
)
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import pair, sentence

MOST = 60
# What a tensor of another kind than weight is called beside its layer.
KINDS = {"activation": "output", "gradient": "gradient"}


def place_lines(two: TwoRuns, place: Place, width: int) -> Iterator[Line]:
    """What is different of a place; as long as that is not known, that it is looked for."""
    compared = two.compared
    if compared is None:
        yield from sentence("comparing the runs ...", width, "dim")
        return
    sides = two.sides(place)
    if len(sides) == 1:
        sign = ONLY_A if sides[0].sign == "A" else ONLY_B
        yield Line(Text(f"{sign} {MEANING[sign]}", f"bold {STYLES[sign]}"))
        return
    if place.kind == "scope":
        yield from _scope(compared, place, width)
        return
    yield from _both(compared, place, sides[0], sides[1], width)


def _both(compared: Compared, place: Place, a: Selected, b: Selected, width: int) -> Iterator[Line]:
    assert a.place is not None
    assert b.place is not None
    rows = []
    if a.place.name != b.place.name:
        rows.append(("name", f"{a.place.name} → {b.place.name}"))
    change = compared.changes.get(place.name)
    told_by_op = compared.by_op == (place.kind == "op")
    if place.kind == "variable" or not told_by_op:
        rows += _specs(a, b)
    elif change is not None:
        rows += [(what, f"{one} → {other}") for _, what, one, other in changed_rows([change])]
    apart = [row for row in compared.distances.get(place.name, ()) if _concerns(row, place)]
    sign = CHANGED if rows else NUMBERS if apart else ""
    if sign:
        yield Line(Text(f"{sign} {MEANING[sign]}: A → B", f"bold {STYLES[sign]}"))
    else:
        yield from sentence("no difference between A and B", width, "dim")
    for what, text in rows:
        yield from pair(what, text, width)
    for row in apart:
        yield from pair(_word(row, place), distance_text(row), width)


def _specs(a: Selected, b: Selected) -> Iterator[tuple[str, str]]:
    """Shape and type of what both hand on, or hold, where they are not the same."""
    one, other = _spec(a), _spec(b)
    if one is None or other is None or one == other:
        return
    if one.shape != other.shape:
        yield "shape", f"{spelling.shape(one.shape)} → {spelling.shape(other.shape)}"
    if one.dtype != other.dtype:
        yield "dtype", f"{one.dtype} → {other.dtype}"


def _spec(side: Selected) -> TensorSpec | None:
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
    """Whether a row is about a place, and not about another kind of thing of that name."""
    if place.kind == "layer":
        return row.layer_a == place.name
    names = row.tensor_a, row.tensor_a.rpartition(":")[0]
    return place.name in names


def _word(row: Distance, place: Place) -> str:
    if row.kind == "weight" or ":" not in row.tensor_a:
        name = row.tensor_a.rpartition("/")[2] if place.kind == "layer" else "values"
        return name if row.kind == "weight" else f"{name} gradient"
    return KINDS.get(row.kind, row.kind)


def distance_text(row: Distance) -> str:
    """The distance, beside how far the tensor moves from step to step."""
    known = [one for one in (row.movement_a, row.movement_b) if one is not None]
    parts = [f"distance {spelling.number(row.distance, 2)}"]
    if row.first != row.last:
        first, last = spelling.number(row.first, 2), spelling.number(row.last, 2)
        parts.append(f"first {first}, last {last}")
    if known:
        parts.append(f"moves {spelling.number(max(known), 2)} a step")
    if row.not_finite_a or row.not_finite_b:
        parts.append(f"not finite: {row.not_finite_a:,} in A, {row.not_finite_b:,} in B")
    return "; ".join(parts)


def _scope(compared: Compared, place: Place, width: int) -> Iterator[Line]:
    """How many differ, and which."""
    owners = compared.union.graph.layer_of_op
    names = [leaf.name for leaf in place.leaves]
    if not compared.by_op:
        names = [owners[name].name if name in owners else name for name in names]
    signs = {name: compared.signs.get(name, "") for name in dict.fromkeys(names)}
    marked = [(name, sign) for name, sign in signs.items() if sign and sign != NUMBERS]
    numbers = sum(sign == NUMBERS for sign in signs.values())
    if not marked and not numbers:
        yield from sentence("no difference between A and B", width, "dim")
        return
    counts = [f"{sum(s == sign for _, s in marked)} {MEANING[sign]}"
              for sign in (CHANGED, ONLY_A, ONLY_B)
              if any(s == sign for _, s in marked)]  # fmt: skip
    counts += [f"{numbers} {MEANING[NUMBERS]}"] if numbers else []
    yield from sentence(f"Of {len(signs)}: {', '.join(counts)}", width, "bold")
    kind = compared.union.graph.layer_by_name
    for name, sign in marked[:MOST]:
        link = Place("layer" if name in kind else "op", name)
        for line in pair(f"{sign} {MEANING[sign]}", name, width, link):
            line.text.stylize(STYLES[sign], 0, 1)
            yield line
    if len(marked) > MOST:
        yield from pair("", f"… and {len(marked) - MOST} more", width)


def linked(two: TwoRuns, lines: list[Line]) -> list[Line]:
    """Lines of B, leading to where that stands in the tree."""
    return [Line(line.text, two.linked(line.link)) for line in lines]
