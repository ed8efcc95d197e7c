"""Shades that show the differences between two runs on a diagram of one of the runs.

If layers differ, each box shows how. If no layer differs, each box shows the distance of the
outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Node
from resnet_inspect.analysis.diff.comparison import Mark
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram.look import DiagramStyle, Shade

# Indices into `look.SHADES`, largest difference first: darker is more different.
LEVELS = {
    Mark.ONLY_A: 4, Mark.ONLY_B: 4, Mark.CHANGED: 3, Mark.REWIRED: 1, Mark.RENAMED: 1,
}  # fmt: skip
SIGNS = {Mark.CHANGED: "≠ ", Mark.REWIRED: "→ ", Mark.RENAMED: "→ "}
STRONGEST = 4


def marked(diagram: Diagram, marks: Mapping[str, tuple[Mark, str]], title: str) -> DiagramStyle:
    """Shade each box by how its layers differ; boxes of equal layers get no shade.

    `marks` has the kind of the difference and its details for layers, by name in this run.
    """
    shades = {}
    for node in diagram.nodes:
        layer_marks = [marks[name] for name in _names(node) if name in marks]
        differing = [(mark, detail) for mark, detail in layer_marks if mark in LEVELS]
        if differing:
            shades[node.id] = _shade(differing, len(layer_marks))
    levels = {shade.level for shade in shades.values()}
    texts = {4: "only in this run", 3: "≠ changed", 1: "→ rewired or renamed"}
    legend = tuple((level, words) for level, words in texts.items() if level in levels)
    return DiagramStyle(
        title=title, shades=shades, legend=legend, measure="Differences from the other run"
    )


def _shade(differing: Sequence[tuple[Mark, str]], count: int) -> Shade:
    """The shade of the largest difference in a box, with the number of layers that have it."""
    by_mark = Counter(mark for mark, _ in differing)
    worst = next(mark for mark in LEVELS if mark in by_mark)
    text = SIGNS.get(worst, "") + worst.value
    if count > 1:
        text += f": {by_mark[worst]} of {count}"
    elif worst is Mark.CHANGED and differing[0][1]:
        text += f": {differing[0][1]}"
    return Shade(LEVELS[worst], text)


def distant(diagram: Diagram, distances: Mapping[str, float], title: str) -> DiagramStyle:
    """Shade each box by the largest distance of its layers' outputs.

    `distances` has the distance of each layer's output, by name in this run.
    """
    largest = {}
    for node in diagram.nodes:
        known = [distances[name] for name in _names(node) if name in distances]
        if known and max(known) > 0:
            largest[node.id] = max(known)
    if not largest:
        return DiagramStyle(title=title)
    highest = max(largest.values())
    shades = {
        key: Shade(_level(value / highest), f"distance {spelling.number(value, 2)}", value)
        for key, value in largest.items()
    }
    levels = sorted({shade.level for shade in shades.values()})
    legend = tuple(
        (level, f"up to {spelling.number(highest * (level + 1) / (STRONGEST + 1), 2)}")
        for level in levels
    )
    measure = "Distance between the outputs of both runs, in standard deviations"
    return DiagramStyle(title=title, shades=shades, legend=legend, measure=measure)


def _level(share: float) -> int:
    return min(STRONGEST, int(share * (STRONGEST + 1)))


def _names(node: Node) -> tuple[str, ...]:
    if node.box == Box.GRADIENT:
        return ()
    return node.layers or (node.name,)
