"""Numbers and distributions of layers brought onto the boxes of a diagram."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Node
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram.look import SHADES, Bars, Shade
from resnet_inspect.render.plots.scale import Scale, without_zeros
from resnet_inspect.render.plots.spread import Distribution, spread
from resnet_inspect.stats import NotFinite, TensorSummary

CELLS = 24
NEAR = 0.1
GROUPS = (Box.STAGE, Box.BLOCK, Box.REST)


def shades(
    diagram: Diagram, values: Mapping[str, float], name: str
) -> tuple[dict[str, Shade], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """A shade for each box of which something is known, the legend, and words below it.

    A box of several layers says from where to where they go. Its shade is that of what it hands
    on, its last layer's, and of blocks that are drawn once the mean of that. Shares of zeros are
    shaded evenly from 0 to 1, anything else evenly on a logarithmic scale from the lowest to the
    highest number in the boxes.
    """
    result: dict[str, Shade] = {}
    for node in diagram.nodes:
        known = _finite(values, node.layers) if node.box != Box.GRADIENT else []
        if known:
            handed = _handed_on(node, values, name) or known
            mean = sum(handed) / len(handed)
            result[node.id] = Shade(0, "", mean, min(known), max(known))
    kinds = {node.id: _shaded_by(node, name) for node in diagram.nodes}
    borders = [at / len(SHADES) for at in range(len(SHADES) + 1)]
    if name != "zeros":
        ends = (end for one in result.values() for end in (one.low, one.high))
        borders = _logarithmic([end for end in ends if end > 0])
    for key, one in result.items():
        level = sum(one.value >= border for border in borders[1:-1])
        result[key] = one._replace(level=level, text=_words(one, name, kinds[key]))
    legend = tuple(
        (level, f"{_spell(low, name)} … {_spell(high, name)}")
        for level, (low, high) in enumerate(pairwise(borders))
    )
    return result, legend if result else (), tuple(_remarks(diagram, result, name))


def _finite(values: Mapping[str, float], layers: Sequence[str]) -> list[float]:
    return [values[one] for one in layers if math.isfinite(values.get(one, math.nan))]


def _handed_on(node: Node, values: Mapping[str, float], name: str) -> list[float]:
    """The numbers a box is shaded by; updates belong to all its layers, anything else to its
    output.
    """
    if node.box not in GROUPS or name == "update-ratio":
        return []
    each = len(node.layers) // max(1, node.times)
    starts = range(0, len(node.layers), max(1, each))
    blocks = [_finite(values, node.layers[at : at + each])[-1:] for at in starts]
    return [value for block in blocks for value in block]


def _shaded_by(node: Node, name: str) -> str:
    last = node.box in GROUPS and name != "update-ratio"
    return "handed on" if last and node.times == 1 else "mean"


def _words(one: Shade, name: str, kind: str) -> str:
    value, low, high = (_spell(number, name) for number in (one.value, one.low, one.high))
    return f"{name} {value}" if low == high else f"{name} {low} … {high}, {kind} {value}"


def _remarks(diagram: Diagram, found: Mapping[str, Shade], name: str) -> Iterator[str]:
    shaded = [node for node in diagram.nodes if node.id in found]
    several = [node for node in shaded if found[node.id].low < found[node.id].high]
    groups = any(node.box in GROUPS for node in several)
    if groups and name != "update-ratio":
        yield "boxes of several layers have the shade of what the last of them hands on"
    elif groups:
        yield "boxes of several layers have the shade of their mean"
    if any(node.times > 1 or node.box not in GROUPS for node in several):
        yield "boxes of blocks that are alike (×k) have the shade of the k blocks' mean"
    if shaded and any(node.layers and node.id not in found for node in diagram.nodes):
        yield "boxes without a number: none was recorded at this step"


def alarms(
    diagram: Diagram, summaries: Mapping[str, TensorSummary], whole: Mapping[str, NotFinite]
) -> dict[str, str]:
    """Words for each box with layers that held NaN or infinities; `whole` counts them in whole
    tensors, of which summaries may be samples.
    """
    found = {}
    for node in diagram.nodes:
        layers = [one for one in node.layers if one in summaries or one in whole]
        lost = [one for one in layers if one in whole or _partial(summaries[one])]
        if not lost or node.box == Box.GRADIENT:
            continue
        counts = [whole.get(one) or summaries[one] for one in lost]
        kinds = {
            "NaN": sum(one.nan for one in counts),
            "inf": sum(one.posinf for one in counts),
            "−inf": sum(one.neginf for one in counts),
        }
        there = {kind: count for kind, count in kinds.items() if count}
        if len(node.layers) > 1:
            text = f"{' and '.join(there)} in {len(lost)} of {len(node.layers)} layers"
        elif lost[0] in summaries and not summaries[lost[0]].finite:
            text = f"all {' and '.join(there)}"
        else:
            text = "holds " + ", ".join(f"{count:,} {kind}" for kind, count in there.items())
        found[node.id] = text
    return found


def _partial(summary: TensorSummary) -> bool:
    return summary.finite < summary.count


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
