"""Numbers and distributions of layers brought onto the boxes of a diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from operator import add

from resnet_inspect.analysis.diagram import Box, Diagram
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram_look import SHADES, Bars, Shade
from resnet_inspect.render.scale import Scale, without_zeros
from resnet_inspect.render.spread import Distribution, spread
from resnet_inspect.stats import TensorSummary

CELLS = 24
NEAR = 0.1


def shades(
    diagram: Diagram, values: Mapping[str, float], name: str
) -> tuple[dict[str, Shade], tuple[tuple[int, str], ...]]:
    """A shade for each box of which something is known, and the legend.

    A box of several layers has their mean, and says from where to where they go. Shares of zeros
    are shaded evenly from 0 to 1, anything else evenly on a logarithmic scale.
    """
    known = {
        node.id: [
            values[layer] for layer in node.layers if math.isfinite(values.get(layer, math.nan))
        ]
        for node in diagram.nodes
        if node.box != Box.GRADIENT
    }
    means = {key: sum(found) / len(found) for key, found in known.items() if found}
    borders = [at / len(SHADES) for at in range(len(SHADES) + 1)]
    if name != "zeros":
        borders = _logarithmic([mean for mean in means.values() if mean > 0])
    result = {}
    for key, mean in means.items():
        level = sum(mean >= border for border in borders[1:-1])
        low, high = _spell(min(known[key]), name), _spell(max(known[key]), name)
        result[key] = Shade(level, f"{name} {low}" if low == high else f"{name} {low} … {high}")
    legend = tuple(
        (level, f"{_spell(low, name)} … {_spell(high, name)}")
        for level, (low, high) in enumerate(pairwise(borders))
    )
    return result, legend if means else ()


def _logarithmic(means: list[float]) -> list[float]:
    low, high = (min(means), max(means)) if means else (1.0, 1.0)
    if high / low < 1 + NEAR:
        low, high = low / (1 + NEAR), high * (1 + NEAR)
    step = math.log(high / low) / len(SHADES)
    return [low * math.exp(step * at) for at in range(len(SHADES) + 1)]


def _spell(value: float, name: str) -> str:
    return spelling.share(value) if name == "zeros" else spelling.number(value)


def bars(diagram: Diagram, summaries: Mapping[str, TensorSummary]) -> dict[str, Bars]:
    """A small distribution for each box of layers; each has a scale of its own, told below it.

    Zeros are not drawn, as one bar would flatten all others; their share is told.
    """
    found = {}
    for node in diagram.nodes:
        held = [summaries[layer] for layer in node.layers if layer in summaries]
        if not held or node.box not in (Box.LAYER, Box.REST):
            continue
        whole = reduce(add, held)
        row = Distribution.of(node.name, whole)
        if not without_zeros(row.sketch).total:
            words = "all zero" if whole.zeros else "no finite numbers"
            found[node.id] = Bars((0.0,) * CELLS, words)
            continue
        scale = Scale.of([row.sketch])
        one = spread(row, scale, CELLS)
        top = float(one.cells.max(initial=0.0)) or 1.0
        words = f"{spelling.number(scale.low, 2)} … {spelling.number(scale.high, 2)}"
        if whole.zeros:
            words += f", {spelling.share(whole.zero_fraction)} zero"
        if whole.finite < whole.count:
            words += f", {spelling.share(1 - whole.finite / whole.count)} not finite"
        found[node.id] = Bars(tuple(round(float(c) / top, 4) for c in one.cells), words)
    return found
