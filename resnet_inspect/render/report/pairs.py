"""The layers of two runs on their page: a table of all pairs, and the content of each panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from resnet_inspect.analysis.diff.comparison import Comparison, Mark, Pair
from resnet_inspect.analysis.diff.differences import Distance
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.values import changed_rows
from resnet_inspect.render.pages.shape_table import flow, window
from resnet_inspect.render.report.sections import Block, count_cell, elements_of, table

SIGNS = {
    Mark.SAME: "= same",
    Mark.RENAMED: "→ renamed",
    Mark.REWIRED: "→ rewired",
    Mark.CHANGED: "≠ changed",
    Mark.ONLY_A: "A only",
    Mark.ONLY_B: "B only",
}
EQUAL = "="
ORDER = "type shape dtype parameters variable attribute ops path phase"
LATER = ("inputs", "control inputs")
MOST_IN_BOX = 2
# Positions of a series of A, a series of B and a distance, by the names of a layer in A and in B.
Tensors = Mapping[tuple[str, str], list[tuple[int, int, int]]]


class Pairs:
    """The pairs of a comparison with their names on the page."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.names = list(_names(comparison.pairs))
        self._name_at = {
            (_name(pair.a), _name(pair.b)): name
            for pair, name in zip(comparison.pairs, self.names, strict=True)
        }
        rows = comparison.diff.distributions.rows
        self._outputs = {
            (row.layer_a, row.layer_b): row for row in reversed(rows) if row.kind == "activation"
        }

    def name_of(self, row: Distance) -> str:
        """The name on the page of the layer that contains the tensor; empty if there is none."""
        return self._name_at.get((row.layer_a, row.layer_b), "")

    def marks(self, side: int) -> dict[str, tuple[Mark, str]]:
        """How each layer of side A (0) or B (1) differs, and in what aspects, by its name."""
        return {
            row.name: (pair.mark, _in_box(differs_in(pair)))
            for pair in self.comparison.pairs
            if (row := (pair.a, pair.b)[side]) is not None
        }

    def outputs(self) -> dict[str, float]:
        """The distances of layer outputs that differ, by the layers' names in A."""
        return {
            name: row.distance
            for (name, _), row in self._outputs.items()
            if row.distance is not None
        }

    def table(self) -> Block:
        """A row for each pair, in the order of the graphs."""
        what = "op" if self.comparison.diff.graph.depth == Depth.OP else "layer"
        numbers = ["params A", "params B", "distance"]
        columns = ["", what, "type", "shape A", "shape B", *numbers, "differs in"]
        return table(columns, [self._row(*named) for named in self._named()], numbers)

    def panels(self, tensors: Tensors) -> list[dict[str, Any]]:
        """The content of the panel of each pair."""
        return [self._panel(pair, name, tensors) for pair, name in self._named()]

    def _named(self) -> Iterator[tuple[Pair, str]]:
        yield from zip(self.comparison.pairs, self.names, strict=True)

    def _row(self, pair: Pair, name: str) -> list[Any]:
        a, b = pair.a, pair.b
        row = self._outputs.get((_name(a), _name(b)))
        distance: Any = ""
        if row is not None:
            sort = -1 if row.distance is None else row.distance
            distance = {"sort": sort, "text": spelling.number(row.distance, 2)}
        return [
            {"sort": list(Mark).index(pair.mark), "text": SIGNS[pair.mark]},
            {"layer": name},
            _both(a, b, "type"),
            *_beside(a, b, _shape_cell),
            *_beside(a, b, _params_cell),
            distance,
            ", ".join(differs_in(pair)),
        ]

    def _panel(self, pair: Pair, name: str, tensors: Tensors) -> dict[str, Any]:
        a, b = pair.a, pair.b
        by_op = self.comparison.diff.graph.depth == Depth.OP
        return {
            "name": name,
            "label": name.rpartition("/")[2] if by_op else name,
            "names": [_name(a), _name(b)],
            "path": list(pair.path),
            "type": _both(a, b, "type"),
            "shape": _arrow(*(spelling.shape(row.shape) for row in (a, b) if row is not None)),
            "mark": "" if pair.mark is Mark.SAME else SIGNS[pair.mark],
            "facts": table(["", "A", "B"], list(_facts(a, b))),
            "changes": _changes(pair),
            "tensors": tensors.get((_name(a), _name(b)), []),
        }


def differs_in(pair: Pair) -> list[str]:
    """The aspects in which both differ; inputs are last, because they follow from other changes."""
    if pair.change is None:
        return ["name"] if pair.mark is Mark.RENAMED else []
    aspects = {difference.aspect for difference in pair.change.differences}
    if "parameters" in aspects:
        aspects.discard("variable")
    return sorted(aspects, key=lambda aspect: (aspect in LATER, ORDER.find(aspect), aspect))


def _in_box(aspects: Sequence[str]) -> str:
    return ", ".join(aspects[:MOST_IN_BOX]) + ", …" * (len(aspects) > MOST_IN_BOX)


def _names(pairs: Sequence[Pair]) -> Iterator[str]:
    """A unique name for each pair."""
    taken: set[str] = set()
    for pair in pairs:
        names = list(dict.fromkeys(row.name for row in (pair.a, pair.b) if row is not None))
        name = " → ".join(names)
        while name in taken:
            name += " (B)"
        taken.add(name)
        yield name


def _name(row: ShapeRow | None) -> str:
    return "" if row is None else row.name


def _both(a: ShapeRow | None, b: ShapeRow | None, field: str) -> str:
    return _arrow(*(getattr(row, field) for row in (a, b) if row is not None))


def _arrow(*texts: str) -> str:
    return " → ".join(dict.fromkeys(texts))


def _beside(
    a: ShapeRow | None, b: ShapeRow | None, cell: Callable[[ShapeRow], Block]
) -> Iterator[Any]:
    """The cells of A and B; an equal cell of B is only a sign, so that differences are visible."""
    cell_a, cell_b = (None if row is None else cell(row) for row in (a, b))
    same = cell_a is not None and cell_b is not None and cell_a["text"] == cell_b["text"] != ""
    yield cell_a or "–"
    yield cell_b | {"text": EQUAL} if same and cell_b is not None else cell_b or "–"


def _shape_cell(row: ShapeRow) -> Block:
    return {"sort": elements_of(row), "text": spelling.shape(row.shape)}


def _params_cell(row: ShapeRow) -> Block:
    return count_cell(row.params) | ({} if row.params else {"text": ""})


def _facts(a: ShapeRow | None, b: ShapeRow | None) -> Iterator[list[Any]]:
    """The properties of a layer side by side; ≠ marks those that differ."""
    sides = [{} if row is None else dict(_properties(row)) for row in (a, b)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        value_a, value_b = (side.get(name, "–") for side in sides)
        yield [f"≠ {name}" if value_a != value_b else name, value_a, value_b]


def _properties(row: ShapeRow) -> Iterator[tuple[str, str]]:
    yield "shapes", flow(row)
    yield "type", f"{row.type}, {row.dtype}" if row.dtype else row.type
    if row.window is not None:
        yield "window", window(row.window)
    if row.params:
        yield "parameters", f"{row.params:,}, {row.trainable_params:,} of them trainable"
    if row.macs != 0:
        yield "MACs per example", spelling.count(row.macs)
    if row.memory:
        yield "memory of the output", spelling.size(row.memory)


def _changes(pair: Pair) -> Block | None:
    if pair.change is None:
        return None
    rows = [[what, a, b] for _, what, a, b in changed_rows([pair.change])]
    return table(["differs in", "A", "B"], rows)
