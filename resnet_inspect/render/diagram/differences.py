"""What differs between two runs, brought onto the boxes of a diagram of one of them.

Where layers differ each box says how; where none does, how far apart the outputs are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Node
from resnet_inspect.analysis.diff.comparison import Mark
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram.look import Look, Shade

# Places in the shades of boxes, worst first: darker is more different.
LEVELS = {
    Mark.ONLY_A: 4, Mark.ONLY_B: 4, Mark.CHANGED: 3, Mark.REWIRED: 1, Mark.RENAMED: 1,
}  # fmt: skip
SIGNS = {Mark.CHANGED: "≠ ", Mark.REWIRED: "→ ", Mark.RENAMED: "→ "}
STRONGEST = 4


def marked(diagram: Diagram, marks: Mapping[str, tuple[Mark, str]], title: str) -> Look:
    """Each box with how its layers, by name in this run, differ, and in what; equal ones plain."""
    shades = {}
    for node in diagram.nodes:
        told = [marks[name] for name in _names(node) if name in marks]
        differing = [one for one in told if one[0] in LEVELS]
        if differing:
            shades[node.id] = _shade(differing, len(told))
    there = {shade.level for shade in shades.values()}
    words = {4: "only in this run", 3: "≠ changed", 1: "→ rewired or renamed"}
    legend = tuple((level, text) for level, text in words.items() if level in there)
    return Look(
        title=title, shades=shades, legend=legend, measure="What differs from the other run"
    )


def _shade(differing: Sequence[tuple[Mark, str]], count: int) -> Shade:
    """The worst of a box's layers, with how many of them it is."""
    by_mark = Counter(mark for mark, _ in differing)
    worst = next(mark for mark in LEVELS if mark in by_mark)
    text = SIGNS.get(worst, "") + worst.value
    if count > 1:
        text += f": {by_mark[worst]} of {count}"
    elif worst is Mark.CHANGED and differing[0][1]:
        text += f": {differing[0][1]}"
    return Shade(LEVELS[worst], text)


def distant(diagram: Diagram, distances: Mapping[str, float], title: str) -> Look:
    """Each box with the largest distance of its layers' outputs, by name in this run."""
    found = {}
    for node in diagram.nodes:
        known = [distances[name] for name in _names(node) if name in distances]
        if known and max(known) > 0:
            found[node.id] = max(known)
    if not found:
        return Look(title=title)
    top = max(found.values())
    shades = {
        key: Shade(_level(value / top), f"distance {spelling.number(value, 2)}", value)
        for key, value in found.items()
    }
    levels = sorted({shade.level for shade in shades.values()})
    legend = tuple(
        (level, f"up to {spelling.number(top * (level + 1) / (STRONGEST + 1), 2)}")
        for level in levels
    )
    measure = "How far apart the outputs of both runs are, in spreads"
    return Look(title=title, shades=shades, legend=legend, measure=measure)


def _level(share: float) -> int:
    return min(STRONGEST, int(share * (STRONGEST + 1)))


def _names(node: Node) -> tuple[str, ...]:
    if node.box == Box.GRADIENT:
        return ()
    return node.layers or (node.name,)
